"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const STEP = ["from", "to", "slot", "arg", "how", "rule", "reduction", "ledger", "gradient", "change"];
  const { nodes, sets, strings } = data;
  const steps = data.steps.map((step) => Object.fromEntries(step.map((value, i) => [STEP[i], value])));
  const last = steps.length, graph = $("graph"), stage = $("stage"), slider = $("slider");
  const SVG = "http://www.w3.org/2000/svg";
  const gentle = matchMedia("(prefers-reduced-motion: reduce)");
  let position = 0, chosen = "", timer = 0, zoom = 0;
  const undo = []; // for each step that was taken, what takes it back

  // The picture: a step changes classes, texts and a few elements; what was there is kept to go back.

  const made = ([tag, attributes, text]) => {
    const one = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    one.textContent = text;
    return one;
  };

  function apply(changes) {
    const back = [];
    const set = (one, key, value) => {
      if (key === "t") one.textContent = value;
      else if (value) one.setAttribute(key, value);
      else one.removeAttribute(key);
    };
    for (const [id, classes, ...own] of changes) {
      const group = $(id);
      const entries = own.length % 3 ? [...own.slice(0, -1), ...sets[own.at(-1)]] : own; // what it shares with others
      if (classes) {
        const before = group.getAttribute("class");
        back.push(() => group.setAttribute("class", before));
        group.setAttribute("class", classes);
      }
      for (let i = 0; i < entries.length; i += 3) {
        const index = entries[i], key = entries[i + 1] === "c" ? "class" : entries[i + 1], value = entries[i + 2];
        if (key === "+") {
          const [count, ...rest] = value, gone = [...group.children].slice(index, index + count), fresh = rest.map(made);
          const after = group.children[index + count] || null;
          gone.forEach((one) => one.remove());
          fresh.forEach((one) => group.insertBefore(one, after));
          back.push(() => {
            fresh.forEach((one) => one.remove());
            gone.forEach((one) => group.insertBefore(one, after));
          });
        } else {
          const one = group.children[index], before = key === "t" ? one.textContent : one.getAttribute(key);
          back.push(() => set(one, key, before));
          set(one, key, typeof value === "number" ? strings[value] : value);
        }
      }
    }
    return back.reverse();
  }

  function go(to) {
    to = Math.max(0, Math.min(last, Math.round(to) || 0));
    while (position < to) undo.push(apply(steps[position++].change));
    while (position > to) { position--; undo.pop().forEach((one) => one()); }
    show();
  }

  const movesNode = (way) => { // to where another node begins to pass its gradient on
    const from = steps[Math.min(position, last - 1)]?.from;
    let to = position;
    if (way > 0) while (to < last && steps[to].from === from) to++;
    else {
      const before = steps[to - 1]?.from;
      while (to > 0 && steps[to - 1].from === before) to--;
    }
    go(to);
  };

  // Words

  const named = (id) => nodes[id]?.name || "a node";
  const element = (tag, text, name) => {
    const one = document.createElement(tag);
    if (text) one.textContent = text;
    if (name) one.className = name;
    return one;
  };
  const rows = (list, pairs) => {
    list.replaceChildren(...pairs.filter(([, text]) => text).flatMap(([term, text]) => [element("dt", term), element("dd", text)]));
    return list;
  };
  const hop = (step) => `${named(step.from)} → ${named(step.to)} (as ${step.arg})`;

  function show() {
    const step = steps[position - 1];
    slider.value = position;
    slider.setAttribute("aria-valuetext", position ? `step ${position} of ${last}` : "start");
    $("count").textContent = `${position} / ${last}`;
    $("where").textContent = !step ? "Start" : position === last ? `Step ${position}: the end` : `Step ${position}`;
    const coming = steps[position], next = coming ? `next: ${hop(coming)}` : "finished";
    $("line").textContent = step ? `arrived: ${hop(step)} · ${next}` : next;
    rows($("arithmetic"), !step ? [] : [
      ["moved", hop(step)], ["rule", step.rule], ["incoming × local", step.how], ["summed", step.reduction],
      [`${named(step.to)} so far`, step.ledger || step.gradient],
    ]);
    for (const note of document.querySelectorAll(".note")) {
      const at = Number(note.dataset.step);
      note.hidden = !(at === position || (at === -1 && position === 0));
    }
    for (const item of $("steps").children) {
      if (item.value === position) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }
    if (chosen) tell();
    follow();
    remember();
  }

  function gradient(id) {
    for (let k = position - 1; k >= 0; k--) if (steps[k].to === id) return steps[k].gradient;
    return nodes[id].gradient || "—";
  }

  function tell() {
    const id = nodes[chosen].of || chosen, node = nodes[id], panel = $("node");
    const title = element("h2", node.title || node.name);
    const facts = rows(element("dl"), [
      ["kind", node.kind], ["computes", node.op], ["value", node.value], ["gradient", node.constant ? "needs none" : gradient(id)],
      ["module", node.module], ["made at", node.where],
    ]);
    const ledger = element("ol"), onward = element("ul");
    steps.forEach((step, k) => {
      if (step.to === id) {
        const here = k < position;
        ledger.append(element("li", here ? `✓ step ${k + 1}, from ${named(step.from)}: ${step.how}`
          : `○ step ${k + 1}, from ${named(step.from)}: not yet`, here ? "" : "waiting"));
      }
      if (step.from === id) onward.append(element("li", `step ${k + 1}, to ${named(step.to)} (as ${step.arg}): ${step.rule}`));
    });
    const parts = [title, facts];
    if (ledger.children.length) parts.push(element("h3", "What arrives: the gradient is their sum"), ledger);
    if (onward.children.length) parts.push(element("h3", "What it passes on: incoming gradient × local derivative"), onward);
    panel.replaceChildren(...parts);
    panel.hidden = false;
  }

  function choose(id) {
    if (chosen) $(chosen)?.removeAttribute("data-chosen");
    chosen = nodes[id] && $(id) ? id : "";
    if (chosen) { $(chosen).setAttribute("data-chosen", ""); tell(); } else $("node").hidden = true;
    remember();
  }

  // Place

  function resize(to) {
    const width = Number(graph.dataset.width), height = Number(graph.dataset.height);
    zoom = to;
    const free = Math.max(stage.clientWidth - 24, 100);
    const scale = zoom || Math.min(1, Math.max(free / width, 0.75));
    graph.style.width = `${width * scale}px`;
    graph.style.height = `${height * scale}px`;
    return scale;
  }
  const scaled = (by) => resize(Math.max(0.1, Math.min(4, (zoom || resize(0)) * by)));

  function reveal(one, calm) {
    if (!one) return;
    const box = one.getBoundingClientRect(), room = stage.getBoundingClientRect();
    const inside = box.left >= room.left && box.right <= room.right && box.top >= room.top && box.bottom <= room.bottom;
    if (!inside) stage.scrollBy({
      left: (box.left + box.right) / 2 - (room.left + room.right) / 2, top: (box.top + box.bottom) / 2 - (room.top + room.bottom) / 2,
      behavior: gentle.matches || !calm ? "instant" : "smooth",
    });
  }
  let followed = 0;
  function follow() { // smoothly, for one step
    const step = steps[position - 1], edge = step && $(`${step.from}e${step.slot}`);
    const box = step && ($(nodes[step.from]?.box) || $(step.from)); // in a closed module no edge is drawn
    reveal(edge ? edge.querySelector(".pill") : box || $(steps[0]?.from), Math.abs(position - followed) === 1 && !timer);
    followed = position;
  }

  // The address: #step=12&node=n3

  function remember() {
    const hash = `#step=${position}${chosen ? `&node=${chosen}` : ""}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }
  function recall() {
    const wanted = new URLSearchParams(location.hash.slice(1)), node = wanted.get("node");
    go(Number(wanted.get("step")) || 0);
    if (node && node !== chosen) { choose(node); reveal($(node)); }
  }

  // Playing

  function play(on) {
    clearInterval(timer);
    if (on && position === last) go(0);
    timer = on ? setInterval(() => { if (position < last) go(position + 1); else play(false); }, 900) : 0;
    $("play").textContent = on ? "pause" : "play";
    $("play").setAttribute("aria-pressed", String(on));
  }
  const by = (amount) => { play(false); go(position + amount); };

  // Finding

  let hits = [], hit = -1;
  function find() {
    const text = $("search").value.trim().toLowerCase();
    document.querySelectorAll("[data-found]").forEach((one) => one.removeAttribute("data-found"));
    const fits = ([id, node]) => $(id) && `${node.name} ${node.title || ""}`.toLowerCase().includes(text);
    hits = text ? Object.entries(nodes).filter(fits).map(([id]) => id) : [];
    hit = -1;
    hits.forEach((id) => $(id).setAttribute("data-found", ""));
    $("hits").textContent = text ? `${hits.length} found` : "";
  }
  function nextHit() {
    if (!hits.length) return;
    hit = (hit + 1) % hits.length;
    $("hits").textContent = `${hit + 1} of ${hits.length}`;
    choose(hits[hit]);
    reveal($(hits[hit]));
  }

  // Keys and clicks

  const keys = {
    ArrowRight: () => by(1), ArrowLeft: () => by(-1), Home: () => by(-last), End: () => by(last),
    PageDown: () => { play(false); movesNode(1); }, PageUp: () => { play(false); movesNode(-1); },
    " ": () => play(!timer), "/": () => $("search").focus(), Escape: () => choose(""),
    "+": () => scaled(1.25), "-": () => scaled(0.8), 0: () => resize(0),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target, typing = target === $("search");
    if (typing) {
      if (event.key === "Escape") { $("search").value = ""; find(); target.blur(); }
      return;
    }
    if (event.key === "Enter" && target.closest(".node")) { choose(target.closest(".node").id); return; }
    if (event.key === " " && (target.closest("button") || target.closest("summary"))) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  for (const [id, act] of Object.entries({
    start: () => by(-last), back: () => by(-1), next: () => by(1), end: () => by(last), play: () => play(!timer),
    smaller: () => scaled(0.8), larger: () => scaled(1.25), fit: () => resize(0), print: () => window.print(),
    theme: () => {
      const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const shown = root.dataset.theme || (dark ? "dark" : "light");
      root.dataset.theme = { light: "dark", dark: "print", print: "light" }[shown];
    },
  })) $(id).addEventListener("click", act);
  slider.addEventListener("input", () => { play(false); go(Number(slider.value)); });
  graph.addEventListener("click", (event) => {
    const node = event.target.closest(".node");
    choose(node && node.id !== chosen ? node.id : "");
  });
  $("search").addEventListener("input", find);
  $("finder").addEventListener("submit", (event) => { event.preventDefault(); nextHit(); });
  addEventListener("hashchange", recall);
  addEventListener("resize", () => { if (!zoom) resize(0); });
  addEventListener("beforeprint", () => { play(false); $("all").open = true; });

  document.querySelectorAll(".node").forEach((one) => {
    one.setAttribute("tabindex", "0");
    one.setAttribute("role", "button");
    one.append(made(["title", {}, nodes[one.id]?.title || named(one.id)]));
  });
  steps.forEach((step, k) => {
    const item = element("li"), link = element("a", `${hop(step)}: ${step.how || step.rule}`);
    item.value = k + 1;
    const edge = $(`${step.from}e${step.slot}`);
    if (edge) edge.append(made(["title", {}, `step ${k + 1}: ${named(step.to)} is argument ${step.arg} of ${named(step.from)}; ${step.rule}`]));
    link.href = `#step=${k + 1}`;
    item.append(link);
    $("steps").append(item);
  });
  resize(0);
  recall();
})();
