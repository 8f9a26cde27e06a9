import { defineConfig } from "vite";

// Everything is one script and one sheet: small enough that splitting it would only cost another round trip.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../retake_api/web",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});
