// The face of SearchApp: what a visitor does becomes messages, and what comes back is shown.
// Every text is set as text, never as HTML: labels and ids may come from strangers.

const SENT_AS_IT_IS = 1 << 20; // bytes; a smaller file is searched with exactly as it is
const LARGEST_FILE = 60 << 20; // bytes that the browser is asked to decode
const SHRUNK_TO = 640; // pixels of the longer side
const NEAR = 14; // pixels around a point of the map in which the pointer finds it
const KINDS = "image/png,image/jpeg,image/webp,image/gif";

/** Make an element: h("a", {href: "#"}, "text", child). */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

function image(picture, alt) {
  const element = h("img", { src: picture, alt });
  // Small pictures are enlarged with crisp pixels, as everywhere in the course.
  element.addEventListener("load", () => {
    element.classList.toggle("ir-crisp", Math.max(element.naturalWidth, element.naturalHeight) <= 64);
  });
  return element;
}

/** Return the name of a data set as its field has room for. */
function shortTitle(title) {
  const short = title.replace(/^Data: (the )?/, "").replace(/ training and .* test images$/, " images");
  return short.charAt(0).toUpperCase() + short.slice(1);
}

const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const inTime = (seconds) => (seconds < 1 ? `${Math.max(1, Math.round(1000 * seconds))} ms` : `${seconds.toFixed(1)} s`);

/** Return a file's bytes, shrunk first where it is large: the way to the server is narrow. */
async function prepared(file) {
  if (file.size <= SENT_AS_IT_IS) return file.arrayBuffer();
  if (file.size > LARGEST_FILE) throw new Error("Your picture has more than 60 MB; choose a smaller one");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error("Your picture cannot be read; choose a whole PNG, JPEG, WebP or GIF");
  }
  const scale = Math.min(1, SHRUNK_TO / Math.max(bitmap.width, bitmap.height));
  const canvas = h("canvas", {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
  });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  return blob.arrayBuffer();
}

function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** The frame that stays; `parts` are filled again with each state. */
function frame(ask, search) {
  const parts = {};
  const keep = (name, element) => (parts[name] = element);
  const choice = (name, text, take) =>
    h("label", { class: "ir-field" }, h("span", {}, text), keep(name, h("select", { onchange: (event) => take(event.target.value) })));
  const set = (name) => (value) => ask("set", { [name]: JSON.parse(value) });
  const file = keep("file", h("input", { type: "file", accept: KINDS, class: "ir-file", "aria-label": "Choose a picture from this device", onchange: (event) => search(event.target.files) }));
  const root = h(
    "section",
    { class: "ir-app", "aria-label": "Image search" },
    h(
      "div",
      { class: "ir-side" },
      keep(
        "drop",
        h(
          "div",
          { class: "ir-drop" },
          keep("query", h("figure", { class: "ir-query" })),
          h("label", { class: "ir-choose" }, file, h("span", {}, "Choose a picture")),
          h("p", { class: "ir-hint" }, "or drop one here, or paste it. PNG, JPEG, WebP or GIF."),
        ),
      ),
      keep(
        "words",
        h(
          "form",
          { class: "ir-words", hidden: true, onsubmit: (event) => (event.preventDefault(), ask("words", parts.text.value)) },
          h("label", { class: "ir-field" }, h("span", {}, "Search with words"), keep("text", h("input", { type: "text", maxlength: 200 }))),
          h("button", { type: "submit" }, "Search"),
        ),
      ),
      h(
        "div",
        { class: "ir-block" },
        h("h3", {}, "Pictures to try"),
        keep("examples", h("div", { class: "ir-examples" })),
        h("button", { type: "button", "data-key": "others", onclick: () => ask("show_examples") }, "Show others"),
      ),
      h(
        "fieldset",
        { class: "ir-block ir-settings" },
        h("legend", {}, "How to search"),
        choice("data", "Data set", (value) => ask("data", JSON.parse(value))),
        choice("where", "Only the label", set("where")),
        h(
          "label",
          { class: "ir-field" },
          h("span", {}, "Neighbors"),
          keep("k", h("input", { type: "number", min: 1, onchange: (event) => ask("set", { k: Math.round(Number(event.target.value)) }) })),
        ),
        choice("metric", "Distance", set("metric")),
        choice("engine", "Engine", set("engine")),
        h(
          "label",
          { class: "ir-check" },
          keep("compare", h("input", { type: "checkbox", onchange: (event) => ask("set", { compare: event.target.checked }) })),
          h("span", {}, "Compare with pixels"),
        ),
      ),
    ),
    h(
      "div",
      { class: "ir-main" },
      keep("error", h("p", { class: "ir-error", role: "alert" })),
      h("div", { class: "ir-head" }, keep("heading", h("h2", { tabindex: -1 }, "Opening the data…")), keep("status", h("p", { class: "ir-status", role: "status" }))),
      keep("trail", h("nav", { class: "ir-trail", "aria-label": "The way here" })),
      keep("columns", h("div", { class: "ir-columns" })),
      h(
        "div",
        { class: "ir-tools" },
        keep("clear", h("button", { type: "button", hidden: true, "data-key": "clear", onclick: () => ask("clear_marks") }, "Clear the marks")),
        h("button", { type: "button", "data-key": "csv", onclick: () => ask("save", "csv") }, "Save as CSV"),
        h("button", { type: "button", "data-key": "html", onclick: () => ask("save", "html") }, "Save as a page"),
      ),
      keep(
        "map",
        h(
          "details",
          { class: "ir-map", ontoggle: (event) => event.target.open && ask("map") },
          h("summary", {}, "Map of the data set"),
          keep("mapText", h("p", { class: "ir-hint", role: "status" }, "The map is being drawn; the first time this may take half a minute…")),
          h("div", { class: "ir-canvas" }, keep("canvas", h("canvas", { hidden: true, tabindex: 0, role: "application", "aria-label": "Map of the data set. Arrow keys go from point to point, Enter searches with a picture." })), keep("tip", h("div", { class: "ir-tip", hidden: true }))),
          keep("legend", h("ul", { class: "ir-legend" })),
        ),
      ),
    ),
  );
  return [root, parts];
}

function fill(select, options, chosen) {
  const made = options.map(([value, text]) => h("option", { value: JSON.stringify(value) }, text));
  select.replaceChildren(...made);
  select.value = JSON.stringify(chosen);
}

function picture(query, text) {
  return query.picture ? image(query.picture, text) : h("span", { class: "ir-wordless" }, query.name);
}

function card(hit, state, features, ask, marks) {
  const query = state.query;
  const title = `number ${hit.rank}: ${hit.label}, id ${hit.id}`;
  const same = query.label == null ? null : query.label === hit.label;
  const mark = (how, sign, text) => {
    const pressed = query[how].includes(hit.row);
    return h(
      "button",
      { type: "button", "aria-pressed": String(pressed), "aria-label": `${text}, ${title}`, title: text, "data-key": `${features} ${how} ${hit.row}`, onclick: () => ask("mark", { row: hit.row, how: pressed ? null : how }) },
      sign,
    );
  };
  const close = () => {
    why.hidden = true;
    why.parentElement.querySelector("[aria-expanded]").setAttribute("aria-expanded", "false");
  };
  const why = h("div", { class: "ir-why", hidden: true, "data-why": `${features} ${hit.row}` });
  return h(
    "li",
    { class: `ir-hit ${same == null ? "" : same ? "ir-same" : "ir-other"}` },
    h(
      "button",
      { type: "button", class: "ir-open", "aria-label": `Search with ${title}, distance ${hit.written}${same == null ? "" : same ? ", same label" : ", other label"}`, "data-key": `${features} open ${hit.row}`, onclick: () => ask("row", hit.row) },
      image(hit.picture, ""),
    ),
    h("p", { class: "ir-label" }, h("span", { class: "ir-rank" }, `${hit.rank}`), ` ${hit.label} `, same == null ? null : h("span", { class: "ir-sign", title: same ? "same label" : "other label" }, same ? "✓" : "✗")),
    h("p", { class: "ir-distance" }, `distance ${hit.written}`),
    h(
      "div",
      { class: "ir-acts" },
      marks && mark("more", "+", "More like this"),
      marks && mark("less", "−", "Not this one"),
      query.picture && h("button", { type: "button", "aria-label": `Why? ${title}`, "aria-expanded": "false", "data-key": `${features} why ${hit.row}`, onclick: () => (why.hidden ? ask("why", { row: hit.row, features }) : close()) }, "Why?"),
    ),
    why,
  );
}

function render({ model, el }) {
  let state = null;
  let map = null;
  let hovered = null;
  const peeked = new Map();
  const ask = (action, value = null, buffers = []) => {
    root.setAttribute("aria-busy", "true");
    parts.error.textContent = "";
    model.send({ do: action, with: value }, undefined, buffers);
  };
  const search = async (files) => {
    const file = [...files].find((each) => each.type.startsWith("image/") || each.size);
    parts.file.value = "";
    if (!file) return complain("There is no picture in this; choose a PNG, JPEG, WebP or GIF");
    try {
      ask("upload", null, [await prepared(file)]);
    } catch (error) {
      complain(error.message);
    }
  };
  const [root, parts] = frame(ask, search);
  el.append(root);

  function complain(text) {
    root.removeAttribute("aria-busy");
    parts.error.textContent = text;
  }

  function showQuery() {
    const query = state.query;
    parts.query.replaceChildren(picture(query, `The query: ${query.name}`), h("figcaption", {}, h("b", {}, "Query "), query.name));
    parts.examples.replaceChildren(
      ...state.examples.map((each, place) => h("button", { type: "button", class: "ir-open", "aria-label": `Search with ${each.name}`, "data-key": `example ${place}`, onclick: () => ask("example", place) }, image(each.picture, ""))),
    );
    const steps = state.trail.map((each, place) =>
      h("li", {}, h("button", { type: "button", class: "ir-open", "aria-label": `Back to ${each.name}`, "aria-current": place === state.at ? "step" : null, "data-key": `back ${place}`, onclick: () => ask("back", place) }, picture(each, ""))),
    );
    parts.trail.replaceChildren(h("ol", {}, steps));
    parts.trail.hidden = steps.length < 2;
  }

  function showSettings() {
    const { settings, choices } = state;
    fill(parts.data, state.data.map((title, place) => [place, shortTitle(title)]), state.chosen);
    fill(parts.where, choices.where.map((label) => [label, label ?? "any"]), settings.where);
    fill(parts.metric, choices.metric.map((name) => [name, name.replace("_", " ")]), settings.metric);
    fill(parts.engine, choices.engine.map((name) => [name, name]), settings.engine);
    parts.k.value = settings.k;
    parts.k.max = state.limits.k;
    parts.compare.checked = settings.compare;
    parts.compare.disabled = !state.query.picture;
    parts.words.hidden = !state.words;
  }

  function showResults() {
    const columns = state.columns.map(({ features, hits, seconds }, place) => {
      const cards = hits.map((hit) => card({ ...hit, written: written(hit.distance) }, state, features, ask, place === 0));
      const title = state.columns.length > 1 && h("h3", {}, `By ${features} (${shared(hits)}${inTime(seconds)})`);
      return h("div", { class: "ir-column" }, title, h("ol", { class: "ir-hits" }, cards));
    });
    parts.columns.replaceChildren(...columns);
    const { hits, seconds } = state.columns[0];
    const { more, less } = state.query;
    parts.heading.textContent = `${plural(hits.length, "neighbor")} of ${state.query.name}`;
    parts.status.textContent = `${shared(hits)}found in ${inTime(seconds)}${state.query.seconds ? `, its vector made in ${inTime(state.query.seconds)}` : ""}${more.length + less.length ? `; ${plural(more.length + less.length, "mark")} moved the query` : ""}`;
    parts.clear.hidden = !(more.length + less.length);
  }

  function shared(hits) {
    const same = hits.filter((hit) => hit.label === state.query.label).length;
    return state.query.label == null ? "" : `${same} of ${hits.length} have its label, `;
  }

  const written = (distance) => (distance >= 100 ? distance.toFixed(0) : distance >= 1 ? distance.toFixed(2) : distance.toFixed(4));

  /** Show a new state, and keep the keyboard where it was or take it to the results. */
  function show(next) {
    const active = root.contains(document.activeElement) ? document.activeElement : null;
    const key = active?.dataset.key;
    const changed = state && (next.query.name !== state.query.name || next.at !== state.at);
    state = next;
    showQuery();
    showSettings();
    showResults();
    root.removeAttribute("aria-busy");
    if (!key) return restored();
    const again = root.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (again && !(changed && key.includes("open"))) again.focus();
    else parts.heading.focus();
    restored();
  }

  function restored() {
    if (parts.map.open) ask("map");
  }

  function showWhy({ row, features, pictures }) {
    const place = root.querySelector(`[data-why="${CSS.escape(`${features} ${row}`)}"]`);
    if (!place) return;
    const [alike, unlike] = [h("b", { class: "ir-alike" }, "orange"), h("b", { class: "ir-unlike" }, "blue")];
    place.replaceChildren(
      h("div", {}, image(pictures[0], "heat map of the query"), image(pictures[1], "heat map of this picture")),
      h("p", {}, alike, " parts make the two pictures more similar, ", unlike, " parts less: the query, and this picture."),
    );
    place.hidden = false;
    place.parentElement.querySelector('[aria-expanded]').setAttribute("aria-expanded", "true");
  }

  function showMap(content) {
    map = content;
    parts.mapText.textContent = `${plural(map.rows.length, "picture")} of the data set, by t-SNE: near points are similar pictures. The star is the query, rings are its neighbors. Choose a point to search with it.`;
    parts.legend.replaceChildren(
      ...Object.entries(map.colors).map(([label, color]) => h("li", {}, h("i", { style: `background:${color}` }), label)),
    );
    parts.canvas.hidden = false;
    draw();
  }

  const at = ([x, y]) => [12 + x * (parts.canvas.clientWidth - 24), 12 + (1 - y) * (parts.canvas.clientHeight - 24)];

  function draw() {
    if (!map || parts.canvas.hidden) return;
    const canvas = parts.canvas;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const pen = canvas.getContext("2d");
    const line = getComputedStyle(root).color;
    pen.scale(ratio, ratio);
    const dot = (point, label, radius, width) => {
      pen.beginPath();
      pen.arc(...at(point), radius, 0, 7);
      pen.fillStyle = map.colors[label];
      pen.fill();
      pen.strokeStyle = line;
      pen.lineWidth = width;
      pen.stroke();
    };
    pen.globalAlpha = 0.75;
    map.points.forEach((point, place) => dot(point, map.labels[place], 3.5, 0.4));
    pen.globalAlpha = 1;
    map.near.forEach(([point, label]) => dot(point, label, 6, 2.5));
    if (hovered != null) dot(map.points[hovered], map.labels[hovered], 6, 2.5);
    star(pen, ...at(map.query), line);
  }

  function star(pen, x, y, line) {
    pen.beginPath();
    for (let corner = 0; corner < 10; corner++) {
      const [angle, radius] = [(corner * Math.PI) / 5 - Math.PI / 2, corner % 2 ? 5 : 12];
      pen.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
    }
    pen.closePath();
    pen.fillStyle = "#ffd54a";
    pen.strokeStyle = line;
    pen.lineWidth = 1.5;
    pen.fill();
    pen.stroke();
  }

  function nearest(event) {
    const box = parts.canvas.getBoundingClientRect();
    const [best, place] = map.points.reduce((found, point, each) => {
      const [x, y] = at(point);
      const distance = Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y);
      return distance < found[0] ? [distance, each] : found;
    }, [NEAR, null]);
    return best < NEAR ? place : null;
  }

  function hover(place) {
    if (place === hovered) return;
    hovered = place;
    parts.tip.hidden = place == null;
    draw();
    if (place == null) return;
    const row = map.rows[place];
    if (peeked.has(row)) showTip(peeked.get(row));
    else model.send({ do: "peek", with: row });
  }

  function showTip(content) {
    peeked.set(content.row, content);
    if (hovered == null || map.rows[hovered] !== content.row) return;
    const [x, y] = at(map.points[hovered]);
    parts.tip.replaceChildren(image(content.picture, ""), h("span", {}, `${content.label}, id ${content.id}`));
    parts.tip.style.left = `${Math.min(x + 12, parts.canvas.clientWidth - 120)}px`;
    parts.tip.style.top = `${y + 12}px`;
    parts.canvas.setAttribute("aria-description", `${content.label}, id ${content.id}`);
  }

  function step(dx, dy) {
    const [x, y] = at(hovered == null ? map.query : map.points[hovered]);
    const [, place] = map.points.reduce((found, point, each) => {
      const [px, py] = at(point);
      const along = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      const cost = along > 0.5 && each !== hovered ? along + 2 * aside : Infinity;
      return cost < found[0] ? [cost, each] : found;
    }, [Infinity, hovered]);
    hover(place);
  }

  parts.canvas.addEventListener("pointermove", (event) => map && hover(nearest(event)));
  parts.canvas.addEventListener("pointerleave", () => map && hover(null));
  parts.canvas.addEventListener("click", (event) => {
    const place = map && nearest(event);
    if (place != null) ask("row", map.rows[place]);
  });
  parts.canvas.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!map || !(event.key in ways || event.key === "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key !== "Enter") step(...ways[event.key]);
    else if (hovered != null) ask("row", map.rows[hovered]);
  });

  const over = (event, on) => {
    event.preventDefault();
    root.classList.toggle("ir-over", on);
  };
  root.addEventListener("dragover", (event) => over(event, true));
  root.addEventListener("dragleave", (event) => over(event, false));
  root.addEventListener("drop", (event) => {
    over(event, false);
    search(event.dataTransfer.files);
  });
  // Pasting into a cell of a notebook is none of this widget's business.
  const paste = (event) => {
    const mine = event.target === document.body || root.contains(event.target);
    if (mine && event.clipboardData?.files.length) search(event.clipboardData.files);
  };
  document.addEventListener("paste", paste);

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = () => {
    const jupyter = root.closest(".ir-page") ? undefined : document.body.dataset.jpThemeLight;
    root.dataset.theme = (jupyter ? jupyter === "false" : dark.matches) ? "dark" : "light";
    draw();
  };
  theme();
  dark.addEventListener("change", theme);
  const resized = new ResizeObserver(draw);
  resized.observe(parts.canvas);

  const answers = {
    state: show,
    why: showWhy,
    map: showMap,
    peek: showTip,
    error: ({ text }) => complain(text),
    file: ({ name, type, text }) => download(name, type, text),
  };
  const receive = (message) => {
    if (message.kind !== "peek") root.removeAttribute("aria-busy");
    answers[message.kind]?.(message);
  };
  model.on("msg:custom", receive);
  ask("hello");
  return () => {
    model.off("msg:custom", receive);
    document.removeEventListener("paste", paste);
    dark.removeEventListener("change", theme);
    resized.disconnect();
  };
}

export default { render };
