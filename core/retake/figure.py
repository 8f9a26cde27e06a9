"""Metrics whose values are not counted where things happen but read, all at once, just before they are told."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

Labelled = Mapping[tuple[str, ...], float]
"""By the values of the labels."""


class Figure(Collector):
    """One family of samples. What was shown last is told, and nothing when that is hidden: an old figure would be taken
    for one of now."""

    def __init__(
        self,
        kind: str,
        name: str,
        explain: str,
        labels: Sequence[str] = (),
        *,
        registry: CollectorRegistry,
        read: Callable[[], float] | None = None,
    ) -> None:
        self.kind, self.name, self.explain, self.labels, self.read = kind, name, explain, labels, read
        self._samples: list[tuple[str, dict[str, str], float]] = []
        registry.register(self)

    def show(self, values: Labelled | float) -> None:
        given: Labelled = values if isinstance(values, Mapping) else {(): values}
        suffix = "_total" if self.kind == "counter" else ""
        self._samples = [(suffix, dict(zip(self.labels, of, strict=True)), value) for of, value in given.items()]

    def show_buckets(self, bounds: Sequence[float], counts: Mapping[float, float], total: float) -> None:
        """A histogram without labels: how many were in each bucket, by its upper bound, and the sum of them all."""
        self._samples, so_far = [], 0.0
        for bound in (*bounds, float("inf")):
            so_far += counts.get(bound, 0)
            self._samples.append(("_bucket", {"le": "+Inf" if bound == float("inf") else f"{bound:g}"}, so_far))
        self._samples += [("_count", {}, so_far), ("_sum", {}, total)]

    def hide(self) -> None:
        self._samples = []

    def describe(self) -> Iterator[Metric]:
        yield Metric(self.name, self.explain, self.kind)

    def collect(self) -> Iterator[Metric]:
        if self.read is not None:
            self.show(self.read())
        family = Metric(self.name, self.explain, self.kind)
        for suffix, labels, value in self._samples:
            family.add_sample(self.name + suffix, labels, value)
        yield family
