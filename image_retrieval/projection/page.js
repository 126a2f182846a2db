const map = document.getElementById("map");

// Bokeh keeps its parts in shadow roots, and its buttons are none to a screen reader.
const nameButtons = (root) => {
    for (const part of root.querySelectorAll("*")) {
        if (part.shadowRoot) nameButtons(part.shadowRoot);
        if (part.title && part.tabIndex === 0) {
            part.setAttribute("role", "button");
            part.setAttribute("aria-label", part.title);
        }
    }
};
Bokeh.embed.embed_item(item, "map").then(() => setTimeout(() => nameButtons(map), 100));

// Bokeh's layout does not follow the width of the paper in time: it is shrunk as it is.
const PAPER = 600;
const fit = (printing) => {
    if (printing === Boolean(map.style.zoom)) return;
    const width = map.offsetWidth;
    map.style.width = printing ? `${width}px` : "";
    map.style.zoom = printing ? Math.min(1, PAPER / width) : "";
};
matchMedia("print").addEventListener("change", (event) => fit(event.matches));
addEventListener("beforeprint", () => fit(true));
addEventListener("afterprint", () => fit(false));
