// Steps through a story: a slider, buttons and keys choose a step; the pictures of the disk and of the hosts follow.
// Needs download.js. Used by pages (page.js) and by notebooks (shadowshare.reports.notebook). No network, nothing stored.
"use strict";

/** An element with attributes and children; children that are strings become text, never markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== ""));
  return element;
}

/** Who does what; a crash names its host already. */
function sentence(step) {
  return step.action.startsWith(`${step.host} `) ? step.action : `${step.host} ${step.action}`.trim();
}

/** The whole picture after each step, out of the differences that are kept. */
function wholePictures(frames) {
  const pictures = [];
  for (const frame of frames) pictures.push({ ...pictures[pictures.length - 1], ...frame });
  return pictures;
}

/** For each step the set of those that happened before it. */
function happenedBefore(data) {
  const before = data.steps.map(() => new Set());
  before.unshift(new Set());
  for (const edge of [...data.edges].sort((one, other) => one.later - other.later)) {
    before[edge.later].add(edge.earlier);
    for (const earlier of before[edge.earlier]) before[edge.later].add(earlier);
  }
  return before;
}

// -- the disk ---------------------------------------------------------------------------------------------------

const STATES = { unflushed: "not flushed", undecided: "undecided since the power loss" };

function sectorElement(sector, own, isWrong) {
  const differs = sector.is_image === false;
  const foreign = sector.of !== null && sector.of !== own ? ` of sector ${sector.of}` : "";
  return make(
    "span",
    { class: `sector ${sector.state} ${differs ? "newer" : ""} ${isWrong ? "wrong" : ""}` },
    `${sector.origin}${foreign}`,
    differs ? make("small", {}, "not the image") : null,
    sector.state ? make("small", {}, STATES[sector.state]) : null,
  );
}

function valueElement(cell) {
  return make("span", { class: `sector ${cell.state}` }, cell.value, cell.state ? make("small", {}, STATES[cell.state]) : null);
}

function cellElement(region, number, cell, touch) {
  const kind = touch ? (touch.is_change ? "changed" : "read") : "";
  const name = region.is_single ? region.title : `${region.cell} ${number}`;
  const title = [make("b", {}, name), touch ? make("em", {}, kind) : null];
  const sectors = cell.sectors || [];
  const first = region.name === "volume" ? number * sectors.length : -1;
  return make(
    "div",
    { class: `cell ${kind}`, "data-cell": `${region.name}/${number}` },
    make("p", {}, title),
    cell.value === undefined ? null : valueElement(cell),
    sectors.map((sector, index) => sectorElement(sector, first < 0 ? -1 : first + index, false)),
    region.name === "slots" ? make("p", { class: "holds" }, cell.holds ? `named for ${cell.holds}` : "free") : null,
  );
}

function blockElement(block, touch) {
  const kind = touch ? (touch.is_change ? "changed" : "read") : "";
  return make(
    "div",
    { class: `block ${kind} ${block.state}` },
    make("b", {}, block.name),
    block.sequence === null ? null : make("i", {}, `#${block.sequence}`),
    block.records.join(", "),
    touch ? make("em", {}, kind) : null,
    block.state ? make("small", {}, STATES[block.state]) : null,
  );
}

function cellElements(region, picture, step) {
  const touches = new Map(
    (step ? step.accesses : []).filter((one) => one.region === region.name).map((one) => [one.number, one]),
  );
  return Object.entries(picture)
    .filter(([key]) => key.startsWith(`${region.name}/`) && /^\d+$/.test(key.slice(region.name.length + 1)))
    .map(([key, cell]) => {
      const number = Number(key.slice(region.name.length + 1));
      const touch = touches.get(number);
      return cell.records ? blockElement(cell, touch) : cellElement(region, number, cell, touch);
    });
}

function regionElement(data, role, name, title, cells) {
  if (!cells.length) return null;
  return make(
    "section",
    { class: `region ${name}`, style: `--lane: var(--${role})` },
    make("h4", {}, make("span", { class: "sign" }, data.signs[role]), ` ${title}`),
    make("div", { class: "cells" }, cells),
  );
}

/** The regions, each with its cells; cells of tasks that are alone stand side by side. */
function regionElements(data, picture, step) {
  const singles = data.regions.filter((region) => region.is_single);
  return [
    regionElement(data, "volume", "singles", "cells", singles.flatMap((region) => cellElements(region, picture, step))),
    ...data.regions
      .filter((region) => !region.is_single)
      .map((region) => regionElement(data, region.role, region.name, region.title, cellElements(region, picture, step))),
  ];
}

// -- the hosts --------------------------------------------------------------------------------------------------

const HELD = { held: "in hand", discarded: "discarded", returned: "returned, and right", wrong: "returned, and WRONG" };

function viewElement(view) {
  if (!view) return "has not read the journal yet";
  if (view === "untold") return "its code does not tell: it has no view";
  if (!view.length) return "there is no shadow copy";
  return view.map((copy) => {
    const copies = copy.copies.map(([extent, slot]) => `extent ${extent} → slot ${slot}`);
    const words = copy.is_valid ? copies.join(", ") || "nothing copied, all still in the volume" : "lost its image";
    return make("span", { class: "copy" }, `shadow copy ${copy.id}: ${words}`);
  });
}

function heldElement(held) {
  const own = held.of === null || held.origin !== "initial" ? "" : ` of sector ${held.of}`;
  return make(
    "li",
    { class: `held ${held.state}` },
    make("b", {}, `extent ${held.extent}`),
    ` from ${held.place === "volume" ? "the volume" : held.place}: `,
    make("span", { class: "content" }, `${held.origin}${own}`),
    make("small", {}, HELD[held.state]),
  );
}

function readElement(read) {
  return make(
    "li",
    { class: read.is_current ? "read" : "read overtaken" },
    `${read.cell}: `,
    make("b", {}, read.value),
    make("small", {}, ` at step ${read.step}${read.is_current ? "" : ", and changed since"}`),
  );
}

function row(name, ...content) {
  return make("div", { class: "row" }, make("dt", {}, name), make("dd", {}, content));
}

function hostElement(data, name, role, host, step) {
  const isActing = step && step.host === name;
  const isRecheck = isActing && step.is_recheck;
  const isPassive = role === "passive";
  const colour = role === "task" ? "active" : role;
  return make(
    "section",
    { class: `host ${role} ${host.status.replaceAll(" ", "-")} ${isActing ? "acts" : ""}`, style: `--lane: var(--${colour})` },
    make(
      "h4",
      {},
      make("span", { class: "sign" }, data.signs[colour]),
      ` ${name} `,
      make("small", {}, `${role}, ${host.status}`),
      isRecheck ? make("em", { class: "recheck" }, "re-check: determines again") : null,
    ),
    host.status === "crashed"
      ? null
      : make(
          "dl",
          {},
          host.doing.length ? row("carries out", host.doing.join("; ")) : null,
          host.read
            ? row("has read", host.read.length ? make("ul", {}, host.read.map(readElement)) : "nothing")
            : row("knows", viewElement(host.view)),
          isPassive
            ? row("has in hand", host.held.length ? make("ul", {}, host.held.map(heldElement)) : "nothing")
            : null,
          row("next", host.next.length ? host.next.map((one) => one[1]).join("; ") : "nothing"),
        ),
  );
}

function wrongByteElement(data, number) {
  const wrong = data.wrong_byte;
  if (!wrong || number !== data.violated_at) return null;
  const cells = (hex, other, isGot) =>
    hex.match(/../g).map((byte, index) => {
      const differs = byte !== other.slice(index * 2, index * 2 + 2);
      const isFirst = isGot && wrong.excerpt_offset + index === wrong.offset;
      return make(
        "td",
        { class: differs ? `differs ${isFirst ? "first-wrong" : ""}` : null, "data-offset": wrong.excerpt_offset + index },
        byte,
      );
    });
  return make(
    "section",
    { class: "bytes now-wrong" },
    make("h4", {}, `${data.signs.wrong} byte ${wrong.offset} of the volume is wrong`),
    make(
      "div",
      { class: "scroll" },
      make(
        "table",
        {},
        make("tr", { class: "got" }, make("th", { scope: "row" }, "returned"), cells(wrong.got, wrong.expected, true)),
        make("tr", { class: "expected" }, make("th", { scope: "row" }, "must be"), cells(wrong.expected, wrong.got, false)),
      ),
    ),
  );
}

// -- stepping ---------------------------------------------------------------------------------------------------

const KEYS = {
  ArrowRight: "forward", ArrowDown: "forward", j: "forward",
  ArrowLeft: "back", ArrowUp: "back", k: "back",
  Home: "first", End: "last", e: "error", h: "order",
};

/**
 * Make a story live; the element in it sends an event "step" whenever another step is shown.
 * `hasKeys`: whether keys work wherever the focus is, not only within the story.
 */
function mountStepper(story, data, hasKeys) {
  const root = story.querySelector(".stepper");
  const download = story.querySelector(".downloads a");
  download.href = fileAddress("application/json", JSON.stringify(data));
  download.hidden = false;
  const slider = root.querySelector("input[type=range]");
  const world = root.querySelector(".world");
  const pictures = wholePictures(data.frames);
  const before = happenedBefore(data);
  const last = data.steps.length;
  let current = Number(slider.value);
  let showsOrder = false;

  function show(number) {
    current = Math.max(0, Math.min(last, number));
    slider.value = current;
    root.dataset.current = current;
    const step = current ? data.steps[current - 1] : null;
    root.querySelector(".now").replaceChildren(
      make("b", {}, step ? `Step ${current} of ${last}` : `Before the first of ${last} steps`),
      step ? ` ${sentence(step)}` : "",
      step && step.result ? make("span", {}, ` ${step.result}`) : "",
    );
    for (const element of root.querySelectorAll("[data-step]")) {
      const at = Number(element.dataset.step);
      element.classList.toggle("current", at === current);
      element.classList.toggle("future", at > current);
      element.classList.toggle("unordered", showsOrder && current > 0 && at < current && !before[current].has(at));
    }
    for (const path of root.querySelectorAll(".edges path")) {
      const { earlier, later } = path.dataset;
      path.classList.toggle("leads-here", Number(later) === current || before[current].has(Number(later)) && before[current].has(Number(earlier)));
    }
    const picture = pictures[current];
    root.dispatchEvent(new CustomEvent("step", { detail: current }));
    world.replaceChildren(
      ...[
        wrongByteElement(data, current),
        ...data.hosts
          .filter(([name]) => picture[`host/${name}`])
          .map(([name, role]) => hostElement(data, name, role, picture[`host/${name}`], step)),
        ...regionElements(data, picture, step),
      ].filter((element) => element !== null),
    );
  }

  const actions = {
    first: () => show(0),
    back: () => show(current - 1),
    forward: () => show(current + 1),
    last: () => show(last),
    error: () => show(data.violated_at === null ? last : data.violated_at),
    order: () => {
      showsOrder = !showsOrder;
      root.classList.toggle("shows-order", showsOrder);
      root.querySelector("[data-go=order]").setAttribute("aria-pressed", String(showsOrder));
      show(current);
    },
  };

  slider.addEventListener("input", () => show(Number(slider.value)));
  for (const button of root.querySelectorAll("[data-go]")) {
    button.addEventListener("click", () => actions[button.dataset.go]());
  }
  for (const element of root.querySelectorAll("[data-step]")) {
    element.addEventListener("click", () => show(Number(element.dataset.step)));
  }
  for (const button of story.querySelectorAll(".to-step")) {
    button.addEventListener("click", () => {
      show(Number(button.dataset.step));
      root.scrollIntoView({ block: "nearest" });
    });
  }
  (hasKeys ? document : root).addEventListener("keydown", (event) => {
    const action = KEYS[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea, select, pre")) return;
    if (event.key.length === 1 && event.target.matches("input:not([type=range])")) return;
    event.preventDefault();
    actions[action]();
  });
  mountTooltip(root, data);
  show(current);
  return { root, show };
}

/** What a step is, beside the pointer. */
function mountTooltip(root, data) {
  const tip = make("div", { class: "tip", role: "tooltip", hidden: true });
  root.append(tip);
  for (const title of root.querySelectorAll(".space-time .row > title")) title.remove();
  for (const element of root.querySelectorAll(".space-time .row")) {
    const step = data.steps[Number(element.dataset.step) - 1];
    const reasons = data.edges
      .filter((edge) => edge.later === step.number && data.steps[edge.earlier - 1].host !== step.host)
      .map((edge) => make("p", {}, `after step ${edge.earlier}: ${edge.reasons.join(", ")}`));
    element.addEventListener("pointermove", (event) => {
      tip.replaceChildren(
        make("p", {}, make("b", {}, `${step.number}. `), sentence(step)),
        step.result ? make("p", {}, step.result) : "",
        ...reasons,
        make("p", { class: "label" }, `${step.label} in the schedule`),
      );
      tip.hidden = false;
      const box = root.getBoundingClientRect();
      tip.style.left = `${Math.max(0, Math.min(event.clientX - box.left + 14, box.width - tip.offsetWidth - 4))}px`;
      tip.style.top = `${event.clientY - box.top + 16}px`;
    });
    element.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
}
