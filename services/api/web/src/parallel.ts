// Many requests without a flood of them.

/** So many at a time; what came of each, in order. */
export async function each<A, B>(
  all: readonly A[],
  most: number,
  work: (one: A) => Promise<B>,
): Promise<PromiseSettledResult<B>[]> {
  const results: PromiseSettledResult<B>[] = new Array(all.length);
  const waiting = all.entries();
  const worker = async () => {
    for (const [place, one] of waiting) {
      results[place] = await work(one).then(
        (value) => ({ status: "fulfilled", value }) as const,
        (reason: unknown) => ({ status: "rejected", reason }) as const,
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, all.length) }, worker));
  return results;
}
