// Files out of what people give: dropped, pasted or chosen, with all that is in folders.

export interface Found {
  file: File;
  /** Where it was, from the folder on that was given; else its name. */
  path: string;
}

export interface Gathered {
  found: Found[];
  /** There was more than we look through. */
  more: boolean;
}

export type Given = DataTransfer | Iterable<File>;

const MOST = 5_000;
const DEEPEST = 32;
const NOT_OF_PEOPLE = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

/** What a DataTransfer holds is read before anything is waited for: afterwards it is empty. */
export async function gather(given: Given): Promise<Gathered> {
  const gathered: Gathered = { found: [], more: false };
  if (!(given instanceof DataTransfer)) {
    for (const file of given) add(gathered, file, file.webkitRelativePath || file.name);
    return gathered;
  }
  const items = [...given.items].filter((item) => item.kind === "file");
  for (const entry of items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile())) {
    if (entry instanceof File) add(gathered, entry, entry.name);
    else if (entry) await walk(gathered, entry, 0);
  }
  return gathered;
}

function add(gathered: Gathered, file: File, path: string): void {
  if (path.includes("/") && NOT_OF_PEOPLE.test(file.name)) return;
  if (gathered.found.length < MOST) gathered.found.push({ file, path });
  else gathered.more = true;
}

async function walk(gathered: Gathered, entry: FileSystemEntry, deep: number): Promise<void> {
  if (gathered.more) return;
  if (isFile(entry)) {
    add(
      gathered,
      await new Promise<File>((done, failed) => entry.file(done, failed)),
      entry.fullPath.replace(/^\//, ""),
    );
  } else if (deep === DEEPEST) {
    gathered.more = true;
  } else {
    for (const inner of await inside(entry as FileSystemDirectoryEntry)) await walk(gathered, inner, deep + 1);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

/** A reader tells a hundred at a time, and nothing when it has told all. */
async function inside(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  while (all.length <= MOST) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    all.push(...some);
  }
  return all.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
}
