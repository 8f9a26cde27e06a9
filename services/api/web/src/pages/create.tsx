export function CreatePage({ id = "" }: { id?: string }) {
  return <h1>Create {id}</h1>;
}
