// Only highlights: everything is on the page without it. The node chosen is in the address: #node=n3.
"use strict";
const drawing = document.querySelector(".drawing svg");
const rows = [...document.querySelectorAll("#edges tbody tr")];
const said = document.getElementById("said");

function light(id) {
  if (!drawing) return;
  drawing.classList.toggle("lit", id !== "");
  const near = new Set([id]);
  for (const edge of drawing.querySelectorAll(".edge")) {
    const on = edge.dataset.from === id || edge.dataset.to === id;
    edge.classList.toggle("on", on);
    if (on) near.add(edge.dataset.from).add(edge.dataset.to);
  }
  for (const node of drawing.querySelectorAll("a.node")) node.classList.toggle("on", near.has(node.dataset.node));
}

function chosen() {
  const id = (/^#node=(n\d+)$/.exec(location.hash) || ["", ""])[1];
  return document.getElementById("node=" + id) ? id : "";
}

function choose() {
  const id = chosen();
  light(id);
  for (const node of document.querySelectorAll("a.node")) node.classList.toggle("chosen", node.dataset.node === id);
  let count = 0;
  for (const row of rows) {
    row.hidden = id !== "" && row.dataset.from !== id && row.dataset.to !== id;
    count += row.hidden ? 0 : 1;
  }
  said.replaceChildren();
  if (id === "") return;
  const all = document.createElement("a");
  all.href = "#";
  all.textContent = "Show all";
  said.append(`Only the edges of ${document.getElementById("node=" + id).dataset.name}: ${count} of ${rows.length}. `, all);
}

function hover(event) {
  const node = event.target.closest("a.node");
  light(node ? node.dataset.node : chosen());
}

function go(hash) {
  history.pushState(null, "", hash || location.pathname + location.search);
  choose();
}

if (drawing) {
  drawing.classList.add("scripted"); // without this script the style goes by :target
  drawing.addEventListener("click", (event) => {
    const node = event.target.closest("a.node");
    if (!node || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // following the link would also scroll
    go(node.dataset.node === chosen() ? "" : "#" + node.id);
  });
  drawing.addEventListener("pointerover", hover);
  drawing.addEventListener("pointerleave", () => light(chosen()));
}
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chosen()) go("");
});
addEventListener("popstate", choose);
addEventListener("hashchange", () => {
  choose();
  document.getElementById("node=" + chosen())?.scrollIntoView({ block: "center", inline: "center" });
});
choose();
