export function JobsPage({ id = "" }: { id?: string }) {
  return <h1>Jobs {id}</h1>;
}
