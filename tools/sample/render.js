// Renders the listed drawings to PNG files: SVG bodies of Iconify's packages, and, for the set
// "own", the SVG files of this folder.
//
//     node render.js NODE_MODULES_PARENT DRAWINGS_JSON OUTPUT_FOLDER
//
// Each file is SET__NAME.png, PIXELS wide, transparent outside the drawing.

const fs = require("fs");
const path = require("path");

const PIXELS = 320;

const [, , installed, listed, output] = process.argv;
const fromInstalled = (name) => require(path.resolve(installed, "node_modules", name));
const { Resvg } = fromInstalled("@resvg/resvg-js");

function svgOf(icons, name) {
  const alias = (icons.aliases || {})[name];
  const icon = icons.icons[name] || (alias && icons.icons[alias.parent]);
  if (!icon) throw new Error(`${icons.prefix} has no drawing ${name}`);
  const width = icon.width || icons.width || 16;
  const height = icon.height || icons.height || 16;
  const box = [icon.left || 0, icon.top || 0, width, height].join(" ");
  const spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';
  return `<svg ${spaces} viewBox="${box}" color="#333">${icon.body}</svg>`;
}

const sets = {};
for (const bySet of Object.values(JSON.parse(fs.readFileSync(listed)))) {
  for (const [set, names] of Object.entries(bySet)) {
    sets[set] = sets[set] || new Set();
    names.forEach((name) => sets[set].add(name));
  }
}
fs.mkdirSync(output, { recursive: true });
for (const [set, names] of Object.entries(sets)) {
  const own = (name) => fs.readFileSync(path.join(__dirname, "own", `${name}.svg`), "utf8");
  const icons = set === "own" ? null : fromInstalled(`@iconify-json/${set}/icons.json`);
  for (const name of names) {
    const svg = icons ? svgOf(icons, name) : own(name);
    const renderer = new Resvg(svg, { fitTo: { mode: "width", value: PIXELS } });
    fs.writeFileSync(path.join(output, `${set}__${name}.png`), renderer.render().asPng());
  }
}
