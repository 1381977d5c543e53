import { defineConfig } from "tsdown";

export default defineConfig({
  entry: ["src/**/*.ts", "!src/**/*.test.ts"],
  format: "esm",
  platform: "node",
  target: "node20",
  unbundle: true,
  dts: false,
  sourcemap: true,
  clean: true,
  fixedExtension: false,
  logLevel: "warn",
});
