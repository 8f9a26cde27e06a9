"""Where a rendered release runs without a cluster: each container's command is a process, told what its pod tells it.

Only places differ: folders lie below one of the test's, and Services are ports of 127.0.0.1 that are free.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from chart.rendering import Json, Objects, Pod
from retake_local.child import Child, Program, spawn
from retake_local.servers import PostgresUser, free_port, http_status

PATIENCE = 100.0
"""For a process to be ready on a busy machine."""

AS_NOBODY = {"postgres"}
"""Who refuses to be root, as which tests may run."""


class Ground:
    def __init__(self, objects: Objects, place: Path) -> None:
        self._objects, self._place = objects, place
        self._ports = {name: {} for name in ("api", "worker", "postgres", "nats", "s3")}
        for component, known in self._ports.items():
            known |= {port: free_port() for port in objects.pod(component).ports.values()}
        self._children: list[Child] = []

    def port(self, component: str, name: str) -> int:
        """Where its container's port is here."""
        return self._ports[component][self._objects.pod(component).ports[name]]

    async def start(self, component: str) -> None:
        """Returns when its readiness probe says so."""
        pod = self._objects.pod(component)
        (container,) = pod.spec["containers"]
        probe = container["readinessProbe"]
        environment, user = self._environment(pod, container), ("-", "-")
        if component in AS_NOBODY:
            nobody = PostgresUser.for_data(self._home(component))
            user = nobody.leash
            for place in self._home(component).rglob("*"):
                nobody.own(place)

        async def ready() -> bool:
            if "httpGet" in probe:
                port = self.port(component, probe["httpGet"]["port"])
                return await http_status(port, probe["httpGet"]["path"], lambda status: 200 <= status < 400)
            return await _open(self.port(component, probe["tcpSocket"]["port"]))

        program = Program(
            component, self._here(container["command"], component), ready, env=environment, user=user[0], keep=user[1],
            patience=PATIENCE,
        )  # fmt: skip
        child = Child(program, self._place, lambda _: None)
        self._children.append(child)
        await child.start()

    async def run(self, component: str, container: Json | None = None) -> tuple[int, str]:
        """Exit code and what it said, of a container that ends: of a Job, a test, or before others."""
        pod = self._objects.pod(component)
        one = container or pod.spec["containers"][0]
        argv = self._here([*one["command"], *one.get("args", [])], component)
        process = await spawn(argv, asyncio.subprocess.PIPE, env=self._environment(pod, one))
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    async def stop(self) -> None:
        for child in reversed(self._children):
            await child.stop()

    def _home(self, component: str) -> Path:
        """Of its folders: what is mounted as /data is data in it, and so on."""
        home = self._place / component
        for name in ("data", "etc", "scratch"):
            (home / name).mkdir(parents=True, exist_ok=True)
        for folder in (self._place, home, home / "data"):
            folder.chmod(0o711)
        return home

    def _here(self, words: list[str], component: str) -> list[str]:
        mine = {str(port): str(here) for port, here in self._ports.get(component, {}).items()}
        moved = {"python": sys.executable, **mine}
        return [self._moved(moved.get(word, word), component) for word in words]

    def _environment(self, pod: Pod, container: Json) -> Mapping[str, str]:
        home = self._home(pod.component)
        told = self._objects.environment(pod, container, home / "etc")
        for file in (home / "etc").iterdir():
            file.write_text(self._moved(file.read_text(), pod.component))
        listens = {
            f"RETAKE_{setting}_PORT": str(self.port(pod.component, name))
            for setting, name in (("API", "http"), ("METRICS", "metrics"))
            if name in pod.ports
        }
        return {name: self._moved(text, pod.component) for name, text in told.items()} | listens

    def _moved(self, text: str, component: str) -> str:
        for mounted, name in (("/data", "data"), ("/etc/retake", "etc"), ("/scratch", "scratch")):
            if text == mounted or text.startswith(f"{mounted}/"):
                return text.replace(mounted, str(self._place / component / name), 1)
        for service in self._objects.of("Service"):
            for port in service["spec"]["ports"]:
                target = self._objects.pod(service["metadata"]["labels"]["app.kubernetes.io/component"])
                here = self._ports[target.component][target.ports[port["targetPort"]]]
                for domain in (".videos.svc", ""):
                    text = text.replace(f"{service['metadata']['name']}{domain}:{port['port']}", f"127.0.0.1:{here}")
        return text


async def _open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
