// Uploads a file as a browser would, with tus-js-client: node upload.mjs <endpoint> <token> <file> <name>
// When a connection breaks it asks where the upload is and goes on. Prints where that is.
import { createReadStream, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const [endpoint, token, file, name] = process.argv.slice(2);

const upload = new Upload(createReadStream(file), {
  endpoint,
  uploadSize: statSync(file).size,
  chunkSize: 4 * 2 ** 20,
  retryDelays: Array(20).fill(50),
  metadata: { filename: name, filetype: "video/mp4" },
  headers: { Authorization: `Bearer ${token}` },
  onSuccess: () => console.log(upload.url),
  onError: (error) => {
    console.error(error);
    process.exitCode = 1;
  },
});
upload.start();
