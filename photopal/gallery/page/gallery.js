"use strict";
// Shows the photos of one gallery. All data comes in script files beside the page, because a page that is opened
// from a disk may not read other files; it arrives through `photopal.start`, `.photos` and `.pack`.
//
// A photo has: w, h (size in pixels), t (when taken, as far as known), u (a date that is not sure), p (index of its
// place), c (index of its camera), x (caption), n (who is shown: [index of name, 1 if it only looks like them and
// 2 if only the file has the name, box or null]), d (index of its folder), f (file name), l (the same, escaped for a
// link, where that differs), k (other words to find it by), g (latitude, longitude). Boxes are x, y, width, height in
// fractions.
(() => {
  const $ = (id) => document.getElementById(id);
  const all = [];
  let about = null;
  let shown = [];
  let rows = [];
  let sections = [];
  const drawn = new Map();
  const chosen = { who: new Set(), where: "", from: "", to: "", words: [] };
  const GAP_PX = 4;
  const HEADING_PX = 44;
  const PACKS_KEPT = 40;

  // ---------------------------------------------------------------- small things

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    // textContent, here and everywhere: what a caption or a name says is shown, never run.
    if (text !== undefined) element.textContent = text;
    return element;
  }

  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const number = (value) => value.toLocaleString("en-US");
  const photosIn = (count) => `${number(count)} ${count === 1 ? "photo" : "photos"}`;
  const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December"];

  function dateInWords(photo) {
    const text = photo.t || "";
    if (!text) return photo.u ? `${photo.u} (unsure)` : "";
    const [year, month, day] = text.slice(0, 10).split("-");
    if (!month) return `about ${year}`;
    if (!day) return `${MONTHS[month - 1]} ${year}`;
    const time = text.length >= 16 ? `, ${text.slice(11, 16)}` : "";
    return `${Number(day)} ${MONTHS[month - 1]} ${year}${time}`;
  }

  const yearOf = (photo) => (photo.t || "").slice(0, 4);
  const placeOf = (photo) => (photo.p === undefined ? "" : about.places[photo.p]);
  const nameOf = (who) => `${who[1] === 1 ? "looks like " : ""}${about.names[who[0]]}`;
  const linkOf = (photo) => about.folders[photo.d] + (photo.l || encodeURIComponent(photo.f));

  function haystackOf(photo) {
    if (photo.hay === undefined) {
      const camera = photo.c === undefined ? "" : about.cameras[photo.c];
      const names = photo.n.map((who) => about.names[who[0]]).join(" ");
      photo.hay = folded([photo.x, names, placeOf(photo), camera, photo.k, photo.f, dateInWords(photo), photo.t]
        .filter(Boolean).join(" "));
    }
    return photo.hay;
  }

  // ---------------------------------------------------------------- data

  function load(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `data/${name}`;
      script.addEventListener("load", () => { script.remove(); resolve(); });
      script.addEventListener("error", () => { script.remove(); reject(new Error(name)); });
      document.head.append(script);
    });
  }

  const packs = new Map();
  const waiting = new Map();

  function packOf(index) {
    const key = Math.floor(index / about.perPack);
    const pack = packs.get(key);
    if (pack) {
      packs.delete(key);
      packs.set(key, pack);
      return Promise.resolve(pack);
    }
    if (!waiting.has(key)) {
      waiting.set(key, load(about.packs[key]).then(() => packs.get(key)).finally(() => waiting.delete(key)));
    }
    return waiting.get(key);
  }

  async function showThumbnail(image, index) {
    try {
      const pack = await packOf(index);
      const jpeg = pack.thumbnails[index % about.perPack];
      if (jpeg && Number(image.dataset.index) === index) image.src = `data:image/jpeg;base64,${jpeg}`;
    } catch {
      image.alt = "The thumbnail is missing";
    }
  }

  // ---------------------------------------------------------------- what fits

  function fits(photo) {
    if (chosen.from && !(yearOf(photo) >= chosen.from)) return false;
    if (chosen.to && !(yearOf(photo) && yearOf(photo) <= chosen.to)) return false;
    if (chosen.where) {
      const place = placeOf(photo);
      if (place !== chosen.where && !place.endsWith(`, ${chosen.where}`) && place.split(", ")[0] !== chosen.where) {
        return false;
      }
    }
    for (const name of chosen.who) {
      if (name === -1 ? photo.n.length : !photo.n.some((who) => who[0] === name)) return false;
    }
    const hay = chosen.words.length ? haystackOf(photo) : "";
    return chosen.words.every((word) => hay.includes(word));
  }

  function isFiltered() {
    return Boolean(chosen.who.size || chosen.where || chosen.from || chosen.to || chosen.words.length);
  }

  function filter({ keepPlace = false } = {}) {
    const words = $("search").value;
    chosen.words = folded(words).split(/\s+/).filter(Boolean);
    shown = [];
    for (let index = 0; index < all.length; index++) if (fits(all[index])) shown.push(index);
    $("count").textContent = isFiltered()
      ? `${number(shown.length)} of ${photosIn(about.total)}`
      : photosIn(about.total);
    $("nothing").hidden = shown.length > 0 || all.length < about.total;
    $("clear").hidden = !isFiltered();
    for (const button of $("who").children) {
      button.setAttribute("aria-pressed", String(chosen.who.has(Number(button.dataset.name))));
    }
    remember();
    if (!keepPlace && window.scrollY) window.scrollTo(0, 0);
    layOut();
    if (!$("map").hidden) drawMap();
  }

  function clearFilters() {
    $("search").value = "";
    for (const id of ["where", "from", "to"]) $(id).value = "";
    chosen.who.clear();
    chosen.where = chosen.from = chosen.to = "";
    filter();
  }

  // ---------------------------------------------------------------- the address keeps what is chosen

  let atStart = new URLSearchParams(location.hash.slice(1));

  function remember() {
    if (all.length < about.total) return;
    const parts = new URLSearchParams();
    if ($("search").value.trim()) parts.set("q", $("search").value.trim());
    for (const name of chosen.who) parts.append("who", name === -1 ? "" : about.names[name]);
    for (const key of ["where", "from", "to"]) if (chosen[key]) parts.set(key, chosen[key]);
    const hash = parts.toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : "#");
  }

  function recall() {
    $("search").value = atStart.get("q") || "";
    chosen.who.clear();
    for (const name of atStart.getAll("who")) {
      const index = name === "" ? -1 : about.names.indexOf(name);
      if (index !== -1 || name === "") chosen.who.add(index);
    }
    for (const key of ["where", "from", "to"]) {
      $(key).value = atStart.get(key) || "";
      chosen[key] = $(key).value || "";
    }
  }

  // ---------------------------------------------------------------- rows of photos, of which only those in sight exist

  function headingOf(photo, isByMonth) {
    const text = photo.t || "";
    if (!text) return "No date";
    return isByMonth && text.length >= 7 ? `${MONTHS[text.slice(5, 7) - 1]} ${text.slice(0, 4)}` : text.slice(0, 4);
  }

  function layOut() {
    const width = $("grid").clientWidth;
    const isNarrow = width < 620;
    const wanted = isNarrow ? 118 : 196;
    const months = new Set(shown.map((index) => (all[index].t || "").slice(0, 7)));
    const isByMonth = shown.length / Math.max(1, months.size) >= 8;
    rows = [];
    sections = [];
    let top = 0;
    let at = 0;
    while (at < shown.length) {
      const heading = headingOf(all[shown[at]], isByMonth);
      let end = at;
      while (end < shown.length && headingOf(all[shown[end]], isByMonth) === heading) end++;
      sections.push({ top: top + 10, text: heading, count: end - at });
      top += HEADING_PX;
      while (at < end) {
        const first = at;
        let sum = 0;
        // A panorama or a tall picture is cut in the grid, as it would leave no room for others.
        const aspects = [];
        while (at < end && (!aspects.length || sum * wanted + GAP_PX * aspects.length < width)) {
          const photo = all[shown[at++]];
          const aspect = Math.min(2.4, Math.max(0.6, photo.w / photo.h || 1));
          aspects.push(aspect);
          sum += aspect;
        }
        const free = width - GAP_PX * (aspects.length - 1);
        const isFull = sum * wanted >= free * 0.8;
        const height = Math.round(isFull ? Math.min(free / sum, wanted * 1.35) : wanted);
        rows.push({ top, height, first, aspects });
        top += height + GAP_PX;
      }
      top += 8;
    }
    $("grid").style.height = `${top}px`;
    for (const element of drawn.values()) element.remove();
    drawn.clear();
    draw();
  }

  function rowAt(y) {
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (rows[middle].top <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  function draw() {
    const grid = $("grid");
    const above = window.scrollY - grid.offsetTop;
    const from = above - window.innerHeight;
    const to = above + 2 * window.innerHeight;
    const wanted = new Set();
    if (rows.length) {
      for (let row = rowAt(from); row < rows.length && rows[row].top < to; row++) wanted.add(`r${row}`);
      sections.forEach((section, at) => {
        if (section.top > from - 300 && section.top < to) wanted.add(`s${at}`);
      });
    }
    for (const [key, element] of drawn) {
      // The row of the focused photo stays, or the keyboard would lose its place.
      if (!wanted.has(key) && !element.contains(document.activeElement)) {
        element.remove();
        drawn.delete(key);
      }
    }
    for (const key of wanted) {
      if (drawn.has(key)) continue;
      const at = Number(key.slice(1));
      const element = key[0] === "r" ? drawRow(rows[at]) : drawHeading(sections[at]);
      drawn.set(key, element);
      grid.append(element);
    }
    while (packs.size > PACKS_KEPT) packs.delete(packs.keys().next().value);
  }

  function drawHeading(section) {
    const heading = make("h2", "", section.text);
    heading.append(make("small", "", number(section.count)));
    heading.style.top = `${section.top}px`;
    return heading;
  }

  function drawRow(row) {
    const element = make("div", "row");
    let left = 0;
    row.aspects.forEach((aspect, column) => {
      const place = row.first + column;
      const tile = drawTile(place, aspect, row.height);
      tile.style.cssText = `left:${left}px;top:${row.top}px;width:${aspect * row.height}px;height:${row.height}px`;
      left += aspect * row.height + GAP_PX;
      element.append(tile);
    });
    return element;
  }

  function drawTile(place, aspect, height) {
    const index = shown[place];
    const photo = all[index];
    const tile = make("button", "tile");
    tile.type = "button";
    tile.dataset.place = place;
    const real = photo.w / photo.h || 1;
    const frame = make("span");
    // The whole picture, of which the tile may show the middle only, so that boxes are where they belong.
    const size = real > aspect ? [height * real, height] : [height * aspect, (height * aspect) / real];
    frame.style.cssText = `width:${size[0]}px;height:${size[1]}px;left:${(aspect * height - size[0]) / 2}px;`
      + `top:${(height - size[1]) / 2}px`;
    const image = make("img");
    image.decoding = "async";
    image.alt = photo.x || photo.f;
    image.dataset.index = index;
    image.addEventListener("error", () => image.removeAttribute("src"));
    frame.append(image);
    showThumbnail(image, index);
    addBoxes(frame, photo);
    tile.append(frame);
    const label = make("span", "name");
    const words = photo.x || photo.n.map(nameOf).join(", ") || dateInWords(photo) || photo.f;
    label.append(make("span", "", words));
    tile.append(label);
    return tile;
  }

  function addBoxes(frame, photo) {
    for (const who of photo.n) {
      if (!who[2]) continue;
      const box = make("span", ["box", "box like", "box file"][who[1]]);
      box.dataset.name = who[0];
      // The name stands above the box, unless there is no room.
      box.classList.toggle("high", who[2][1] < 0.14);
      box.append(make("b", "", nameOf(who)));
      const [x, y, width, height] = who[2].map((part) => `${part * 100}%`);
      Object.assign(box.style, { left: x, top: y, width, height });
      frame.append(box);
    }
  }

  // ---------------------------------------------------------------- one photo

  let open = -1;

  function view(place) {
    if (place < 0 || place >= shown.length) return;
    open = place;
    const index = shown[place];
    const photo = all[index];
    const large = $("large");
    large.dataset.index = index;
    large.removeAttribute("src");
    large.alt = photo.x || photo.f;
    showThumbnail(large, index).then(() => {
      // The thumbnail first, then the photo itself, if the browser can show it.
      const full = new Image();
      full.addEventListener("load", () => {
        if (Number(large.dataset.index) === index && full.naturalWidth) large.src = full.src;
      });
      full.src = linkOf(photo);
    });
    for (const old of [...$("figure").querySelectorAll(".box")]) old.remove();
    addBoxes($("figure"), photo);
    $("previous").disabled = place === 0;
    $("next").disabled = place === shown.length - 1;
    tell(photo, index);
    if (!$("viewer").open) $("viewer").showModal();
    fitFigure();
    $("facts").scrollTop = 0;
    for (const near of [place - 1, place + 1]) if (near >= 0 && near < shown.length) packOf(shown[near]).catch(() => {});
  }

  function fitFigure() {
    if (open < 0) return;
    const photo = all[shown[open]];
    const stage = $("figure").parentElement;
    const scale = Math.min(stage.clientWidth / photo.w, stage.clientHeight / photo.h, 4);
    $("figure").style.width = `${Math.floor(photo.w * scale)}px`;
    $("figure").style.height = `${Math.floor(photo.h * scale)}px`;
  }

  function tell(photo, index) {
    const facts = $("facts");
    facts.replaceChildren();
    if (photo.x) facts.append(make("p", "caption", photo.x));
    for (const line of [dateInWords(photo), placeOf(photo), photo.c === undefined ? "" : about.cameras[photo.c],
      photo.k]) {
      if (line) facts.append(make("p", "soft", line));
    }
    const list = make("ul");
    facts.append(list);
    const file = make("p", "soft");
    const link = make("a", "", photo.f);
    link.id = "original";
    link.href = linkOf(photo);
    link.target = "_blank";
    link.rel = "noopener";
    file.append(link);
    facts.append(file, make("p", "soft", `${number(photo.w)} × ${number(photo.h)}`));
    packOf(index).then((pack) => {
      if (open < 0 || shown[open] !== index) return;
      for (const [name, verdict, lines] of pack.evidence[index % about.perPack]) {
        const item = make("li");
        item.append(make("strong", "", about.names[name]), make("span", "", verdict));
        for (const line of lines) item.append(make("p", "", line));
        item.addEventListener("mouseenter", () => light(name, true));
        item.addEventListener("mouseleave", () => light(name, false));
        list.append(item);
      }
    }).catch(() => list.append(make("li", "", "A file of this gallery is missing.")));
  }

  function light(name, isLit) {
    for (const box of $("figure").querySelectorAll(".box")) {
      if (Number(box.dataset.name) === name) box.classList.toggle("lit", isLit);
    }
  }

  function focusTile(place) {
    if (place < 0 || place >= shown.length) return;
    const row = rows.find((one) => place < one.first + one.aspects.length);
    const top = row.top + $("grid").offsetTop;
    const head = document.querySelector("header").offsetHeight + 8;
    if (top < window.scrollY + head) window.scrollTo(0, top - head);
    else if (top + row.height > window.scrollY + window.innerHeight) {
      window.scrollTo(0, top + row.height - window.innerHeight + 12);
    }
    draw();
    $("grid").querySelector(`[data-place="${place}"]`)?.focus({ preventScroll: true });
  }

  function beside(place, key) {
    if (key === "ArrowLeft") return place - 1;
    if (key === "ArrowRight") return place + 1;
    const at = rows.findIndex((one) => place < one.first + one.aspects.length);
    const middle = (row, column) => row.aspects.slice(0, column).reduce((sum, one) => sum + one * row.height, 0)
      + (row.aspects[column] * row.height) / 2;
    const target = rows[at + (key === "ArrowUp" ? -1 : 1)];
    if (!target) return place;
    const x = middle(rows[at], place - rows[at].first);
    let best = 0;
    target.aspects.forEach((_, column) => {
      if (Math.abs(middle(target, column) - x) < Math.abs(middle(target, best) - x)) best = column;
    });
    return target.first + best;
  }

  // ---------------------------------------------------------------- map: where photos were taken, without a background

  function drawMap() {
    const map = $("map");
    const width = Math.max(300, map.clientWidth);
    const height = Math.round(Math.min(460, width * 0.5));
    const spots = new Map();
    for (const index of shown) {
      const photo = all[index];
      if (!photo.g) continue;
      const name = placeOf(photo) || photo.g.map((part) => part.toFixed(1)).join(", ");
      const spot = spots.get(name) || { name, place: placeOf(photo), count: 0, lat: 0, lon: 0 };
      spot.count++;
      spot.lat += photo.g[0];
      spot.lon += photo.g[1];
      spots.set(name, spot);
    }
    const points = [...spots.values()];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    map.replaceChildren(svg);
    const put = (parent, tag, attributes, text) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      if (text !== undefined) element.textContent = text;
      parent.append(element);
      return element;
    };
    if (!points.length) {
      put(svg, "text", { x: width / 2, y: height / 2, class: "label", "text-anchor": "middle" },
        "No photo here has a position.");
      return;
    }
    const mercator = (degrees) => {
      const y = Math.max(-85, Math.min(85, degrees)) * Math.PI / 360;
      return Math.log(Math.tan(Math.PI / 4 + y)) * 180 / Math.PI;
    };
    const back = (y) => (Math.atan(Math.exp(y * Math.PI / 180)) - Math.PI / 4) * 360 / Math.PI;
    for (const spot of points) {
      spot.x = spot.lon / spot.count;
      spot.y = mercator(spot.lat / spot.count);
    }
    const bounds = (key) => [Math.min(...points.map((one) => one[key])), Math.max(...points.map((one) => one[key]))];
    const [west, east] = bounds("x");
    const [south, north] = bounds("y");
    const pad = 60;
    const scale = Math.min((width - 2 * pad) / Math.max(east - west, 0.2), (height - 2 * pad) / Math.max(north - south, 0.1));
    const atX = (x) => width / 2 + (x - (west + east) / 2) * scale;
    const atY = (y) => height / 2 - (y - (south + north) / 2) * scale;
    const step = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30].find((one) => one * scale > 90) || 60;
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    const degrees = (value, names) => `${Math.abs(value).toFixed(digits)}°${value < 0 ? names[1] : names[0]}`;
    const left = (west + east) / 2 - width / 2 / scale;
    for (let x = Math.ceil(left / step) * step; atX(x) < width && x <= 180; x += step) {
      if (x < -180) continue;
      put(svg, "line", { x1: atX(x), x2: atX(x), y1: 0, y2: height, class: "grid" });
      put(svg, "text", { x: atX(x) + 4, y: height - 6, class: "degrees" }, degrees(x, "EW"));
    }
    const below = back((south + north) / 2 - height / 2 / scale);
    for (let y = Math.ceil(below / step) * step; atY(mercator(y)) > 0 && y < 85; y += step) {
      put(svg, "line", { x1: 0, x2: width, y1: atY(mercator(y)), y2: atY(mercator(y)), class: "grid" });
      put(svg, "text", { x: 4, y: atY(mercator(y)) - 4, class: "degrees" }, degrees(y, "NS"));
    }
    points.sort((a, b) => b.count - a.count);
    const taken = [];
    for (const spot of points) {
      const [x, y] = [atX(spot.x), atY(spot.y)];
      const radius = Math.min(24, 5 + 2.2 * Math.sqrt(spot.count));
      const group = put(svg, "g", spot.place ? { tabindex: 0, role: "button" } : {});
      put(group, "title", {}, `${spot.name}: ${photosIn(spot.count)}`);
      put(group, "circle", { cx: x, cy: y, r: radius });
      const choose = () => { if (spot.place) choosePlace(spot.place); };
      group.addEventListener("click", choose);
      group.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(); });
      // A name only where it covers no other, those of the most photos first.
      const label = spot.name.split(", ")[0];
      const isLeft = x > width - 140;
      const from = isLeft ? x - radius - 5 - label.length * 7.2 : x + radius + 5;
      const area = [from, y - 9, from + label.length * 7.2, y + 9];
      const isFree = taken.every((one) => area[2] < one[0] || area[0] > one[2] || area[3] < one[1] || area[1] > one[3]);
      if (isFree) {
        taken.push(area);
        put(svg, "text", { x: isLeft ? x - radius - 5 : from, y: y + 5, class: "label",
          "text-anchor": isLeft ? "end" : "start" }, label);
      }
    }
  }

  function choosePlace(place) {
    const options = [...$("where").options].map((option) => option.value);
    const city = place.split(", ")[0];
    chosen.where = chosen.where === place || chosen.where === city ? "" : options.includes(city) ? city : place;
    $("where").value = chosen.where;
    filter();
  }

  function toggleMap() {
    if ($("map-button").hidden) return;
    $("map").hidden = !$("map").hidden;
    $("map-button").setAttribute("aria-pressed", String(!$("map").hidden));
    if (!$("map").hidden) {
      drawMap();
      window.scrollTo(0, 0);
    }
    draw();
  }

  // ---------------------------------------------------------------- what there is to choose from

  function fillFilters() {
    const byName = new Map();
    const byCountry = new Map();
    const years = new Set();
    let nobody = 0;
    let hasPosition = false;
    for (const photo of all) {
      for (const who of photo.n) byName.set(who[0], (byName.get(who[0]) || 0) + 1);
      if (!photo.n.length) nobody++;
      if (yearOf(photo)) years.add(yearOf(photo));
      if (photo.g) hasPosition = true;
      if (photo.p !== undefined) {
        const parts = placeOf(photo).split(", ");
        const country = parts.at(-1);
        const cities = byCountry.get(country) || byCountry.set(country, new Map()).get(country);
        cities.set(parts[0], (cities.get(parts[0]) || 0) + 1);
      }
    }
    const who = $("who");
    who.replaceChildren();
    const names = [...byName].sort((a, b) => b[1] - a[1]);
    if (names.length && nobody) names.push([-1, nobody]);
    for (const [name, count] of names) {
      const button = make("button", "", name === -1 ? "nobody named" : about.names[name]);
      button.type = "button";
      button.dataset.name = name;
      button.append(make("small", "", number(count)));
      who.append(button);
    }
    who.hidden = !names.length;
    const where = $("where");
    where.replaceChildren(new Option("Everywhere", ""));
    for (const [country, cities] of [...byCountry].sort((a, b) => a[0].localeCompare(b[0]))) {
      const total = [...cities.values()].reduce((sum, count) => sum + count, 0);
      where.append(new Option(`${country} (${number(total)})`, country));
      for (const [city, count] of [...cities].sort((a, b) => b[1] - a[1])) {
        if (city !== country) where.append(new Option(`\u2003${city} (${number(count)})`, city));
      }
    }
    where.hidden = !byCountry.size;
    const ordered = [...years].sort();
    for (const [id, words] of [["from", "From"], ["to", "To"]]) {
      $(id).replaceChildren(new Option(words, ""), ...ordered.map((year) => new Option(year, year)));
    }
    $("when").hidden = ordered.length < 2;
    $("map-button").hidden = !hasPosition;
  }

  // ---------------------------------------------------------------- listeners

  let isDue = false;
  function soon() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => { isDue = false; draw(); });
  }

  function listen() {
    window.addEventListener("scroll", soon, { passive: true });
    let width = $("grid").clientWidth;
    // A phone that is turned has its final size only once the grid has been laid out anew.
    new ResizeObserver(fitFigure).observe($("figure").parentElement);
    window.addEventListener("resize", () => {
      if ($("grid").clientWidth === width) return soon();
      width = $("grid").clientWidth;
      // The first photo in sight stays in sight.
      const row = rows.length ? rows[rowAt(window.scrollY - $("grid").offsetTop)] : null;
      layOut();
      const now = row && window.scrollY > $("grid").offsetTop
        ? rows.find((one) => row.first < one.first + one.aspects.length) : null;
      if (now) window.scrollTo(0, now.top + $("grid").offsetTop);
      if (!$("map").hidden) drawMap();
      return undefined;
    });
    $("search").addEventListener("input", () => filter());
    for (const key of ["where", "from", "to"]) {
      $(key).addEventListener("change", () => { chosen[key] = $(key).value; filter(); });
    }
    $("who").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const name = Number(button.dataset.name);
      if (!chosen.who.delete(name)) chosen.who.add(name);
      filter();
    });
    $("clear").addEventListener("click", clearFilters);
    $("clear-all").addEventListener("click", clearFilters);
    $("map-button").addEventListener("click", toggleMap);
    $("theme").addEventListener("click", changeTheme);
    $("help-button").addEventListener("click", () => $("help").showModal());
    $("grid").addEventListener("click", (event) => {
      const tile = event.target.closest(".tile");
      if (tile) view(Number(tile.dataset.place));
    });
    $("previous").addEventListener("click", () => view(open - 1));
    $("next").addEventListener("click", () => view(open + 1));
    $("close").addEventListener("click", () => $("viewer").close());
    $("figure").addEventListener("click", () => $("figure").classList.toggle("boxes"));
    $("viewer").addEventListener("close", () => {
      const place = open;
      open = -1;
      focusTile(place);
    });
    let touched = null;
    $("figure").parentElement.addEventListener("touchstart", (event) => { touched = event.touches[0].clientX; },
      { passive: true });
    $("figure").parentElement.addEventListener("touchend", (event) => {
      const moved = event.changedTouches[0].clientX - touched;
      if (Math.abs(moved) > 60) view(open + (moved < 0 ? 1 : -1));
    }, { passive: true });
    document.addEventListener("keydown", onKey);
    window.addEventListener("hashchange", () => {
      atStart = new URLSearchParams(location.hash.slice(1));
      recall();
      filter();
    });
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const isTyping = ["INPUT", "SELECT"].includes(event.target.tagName);
    if (event.key === "Escape" && isTyping && !$("viewer").open) {
      if ($("search").value) { $("search").value = ""; filter(); } else event.target.blur();
      return;
    }
    if (isTyping) {
      if (event.key === "ArrowDown" && event.target.id === "search" && shown.length) {
        focusTile(0);
        event.preventDefault();
      }
      return;
    }
    const tile = document.activeElement.closest?.(".tile");
    const isArrow = event.key.startsWith("Arrow");
    if ($("viewer").open) {
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") view(beside(open, event.key));
      else if (event.key === "b") $("figure").classList.toggle("boxes");
      else if (event.key === "o") $("original").click();
      else return;
    } else if (event.key === "/") $("search").focus();
    else if (event.key === "m") toggleMap();
    else if (event.key === "b") document.body.classList.toggle("boxes");
    else if (event.key === "?") $("help").showModal();
    else if (isArrow && tile) focusTile(beside(Number(tile.dataset.place), event.key));
    else if (event.key === "ArrowRight" && rows.length) focusTile(rows[rowAt(window.scrollY - $("grid").offsetTop)].first);
    else return;
    event.preventDefault();
  }

  function changeTheme() {
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme || (isDark ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
    try { localStorage.setItem("photopal-theme", document.documentElement.dataset.theme); } catch { /* not kept */ }
  }

  // Made while nobody types, or the first letter of a search would take longest.
  function prepare(from) {
    for (let index = from; index < Math.min(all.length, from + 500); index++) haystackOf(all[index]);
    if (from + 500 < all.length) setTimeout(prepare, 0, from + 500);
  }

  async function loadRest() {
    for (const name of about.lists) await load(name);
    fillFilters();
    if ([...atStart].length) recall();
    filter({ keepPlace: !isFiltered() });
    prepare(0);
    document.documentElement.dataset.ready = "yes";
  }

  window.photopal = {
    start(facts, photos) {
      about = facts;
      try {
        const theme = localStorage.getItem("photopal-theme");
        if (theme) document.documentElement.dataset.theme = theme;
      } catch { /* a browser that keeps nothing for local pages */ }
      all.push(...photos);
      listen();
      filter();
      loadRest().catch((error) => {
        $("nothing").hidden = false;
        $("nothing").textContent = `${error.message}: this file of the gallery is missing. Write the gallery again.`;
      });
    },
    photos(photos) {
      for (const photo of photos) all.push(photo);
    },
    pack(key, thumbnails, evidence) {
      packs.set(key, { thumbnails, evidence });
    },
  };
})();
