export function SystemPage({ id = "" }: { id?: string }) {
  return <h1>System {id}</h1>;
}
