// Makes ../static/vendor/codemirror.js and its licences from the versions in package-lock.json: npm ci && npm run build
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const target = "../static/vendor";
const result = await build({
  entryPoints: ["codemirror.mjs"],
  outfile: `${target}/codemirror.js`,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  metafile: true,
});

const packages = [
  ...new Set(
    Object.keys(result.metafile.inputs)
      .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
      .filter(Boolean),
  ),
].sort();
const texts = packages.map((name) => {
  const folder = `node_modules/${name}`;
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  return `${name} ${version}\n\n${readFileSync(`${folder}/${licence}`, "utf8").trim()}\n`;
});
writeFileSync(`${target}/LICENSES.txt`, texts.join(`\n${"-".repeat(80)}\n\n`));
