(() => {
'use strict';
// Nothing of the document is ever read as markup: all of it becomes text nodes and attribute values.
const $ = (id) => document.getElementById(id);
const box = $('data');
let data = JSON.parse(box.textContent);
box.remove();
const { kinds } = data;
const room = window.shanbenRoom || null; // what the review room adds to this page
const [UNIT, KIND, LINE, COLUMN, BEFORE, AFTER, REASON, GAIN, ROUND, FIELD] = Array(10).keys();
const MOVE = kinds.indexOf('move'), CAPTURED = kinds.indexOf('captured'), SUGGESTION = kinds.indexOf('suggestion');
const STRONG = 15, BINS = 120, PART = 1000000, CHUNK = 5000, MOST_PRINTED = 2000, MOST_HITS = 20000, AROUND = 1;
let lang = ((l) => (/^zh/i.test(l) ? 'zh' : /^en/i.test(l) ? 'en' : /^zh/i.test(data.language) ? 'zh' : 'en'))(navigator.language || '');
const w = (key) => data.words[lang][key] ?? key;
const make = (tag, cls, text) => {
  const el = document.createElement(tag);
  if (cls) el.className = cls;
  if (text !== undefined) el.textContent = text;
  return el;
};
const idsOf = (op) => (typeof op === 'string' ? [] : typeof op[0] === 'number' ? [op[0]] : op[0]);
const opsOf = (row) => (typeof row === 'string' ? [row] : row);
const left = (op) => (typeof op === 'string' ? op : op[1]);
const right = (op) => (typeof op === 'string' ? op : op.length > 2 ? op[2] : op[1]);

// --- where everything stands --------------------------------------------------------------------------------
let rows, entries, units, count, lineOf, linesIn, sizes, starts, placeOf, rowOf, otherRow, phaseNames, phaseOf, total, continued, marks;
const onKind = kinds.map(() => true);
let onPhase = [], onUnit = [], shown = new Uint8Array(0), ranks = new Int32Array(1);

function take(next) {
  const offPhases = new Set((phaseNames || []).filter((_, i) => !onPhase[i])), offUnits = new Set((units || []).filter((_, i) => !onUnit[i]).map((u) => u[0]));
  data = next;
  ({ rows, entries, units } = data);
  count = rows.length;
  lineOf = new Int32Array(count + 1); linesIn = new Int32Array(count); sizes = new Int32Array(count); starts = new Float64Array(count + 1);
  placeOf = new Float64Array(entries.length); rowOf = new Int32Array(entries.length).fill(-1); otherRow = new Int32Array(entries.length).fill(-1);
  phaseNames = [...new Set(entries.map((e) => units[e[UNIT]][1]))];
  phaseOf = units.map((u) => phaseNames.indexOf(u[1]));
  let line = 1, at = 0;
  for (let r = 0; r < count; r++) {
    lineOf[r] = line;
    let a = 0, b = 0, size = 0;
    for (const op of opsOf(rows[r])) {
      const s = left(op), c = right(op);
      for (let i = s.indexOf('\n'); i >= 0; i = s.indexOf('\n', i + 1)) line++;
      for (const e of idsOf(op)) {
        if (rowOf[e] < 0) { rowOf[e] = r; placeOf[e] = at + size; }
        if (entries[e][KIND] === MOVE && r !== rowOf[e]) otherRow[e] = r;
      }
      a += s.length; b += c.length; size += Math.max(s.length, c.length);
    }
    linesIn[r] = line - lineOf[r];
    sizes[r] = Math.max(a, b);
    starts[r] = at;
    at += size;
  }
  lineOf[count] = line;
  starts[count] = at;
  total = Math.max(1, starts[count]);
  continued = new Set(data.continued);
  marks = new Map();
  for (const [row, kind, unit] of data.marks) marks.set(row, [...(marks.get(row) || []), [kind, unit]]);
  onPhase = phaseNames.map((p) => !offPhases.has(p));
  onUnit = units.map((u) => !offUnits.has(u[0]));
  shown = new Uint8Array(entries.length);
  ranks = new Int32Array(entries.length + 1);
}
take(data);
const HEADS = new Set(['title', 'part', 'chapter', 'heading']);

// --- what is shown -------------------------------------------------------------------------------------------
let shownCount = 0;
let folded = false, current = -1, opened = new Set();

function choose() {
  shownCount = 0;
  entries.forEach((e, i) => {
    ranks[i] = shownCount;
    shownCount += shown[i] = onKind[e[KIND]] && onPhase[phaseOf[e[UNIT]]] && onUnit[e[UNIT]] ? 1 : 0;
  });
  ranks[entries.length] = shownCount;
}

// --- text as nodes -------------------------------------------------------------------------------------------
const BLANKS = { ' ': '␣', '\n': '↵', '\t': '⇥', '\u3000': '□', '\r': '␍', '\u00a0': '⍽' };
const ODD = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u;
const SPLIT = /([\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}])/u;
const MARKED = /([ \u3000\u00a0\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}])/u;

function put(parent, text, marked, breaks = true) {
  if (!marked && !ODD.test(text)) { parent.append(text); return; }
  const parts = text.split(marked ? MARKED : SPLIT);
  parts.forEach((part, i) => {
    if (!part) return;
    if (i % 2 === 0) { parent.append(part); return; }
    if (!marked && (part === '\n' || part === '\t' || part === '\u200d' || part === '\u200c')) { parent.append(part); return; }
    const sign = BLANKS[part];
    const g = make('span', sign && (marked || part === '\r') ? (part === '\u3000' ? 'g w' : 'g') : 'g cp');
    g.dataset.g = sign && (marked || part === '\r') ? sign : 'U+' + part.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
    g.dataset.n = part.length;
    // The blank itself stands there too, so that a copy of the text has it; a last line end would only make a gap.
    if (part === '\n' ? breaks && i < parts.length - 2 : BLANKS[part]) g.append(part);
    parent.append(g);
  });
}

function said(text) {
  const full = typeof text === 'string' ? text : text[0];
  return !full ? w('nothing') : full.trim() ? `“${full}”` : `“${full.replace(/\s/gu, (c) => BLANKS[c] || c)}”`;
}

function label(ids) {
  return ids.map((i) => {
    const e = entries[i];
    return `${w(kinds[e[KIND]])}: ${e[KIND] === MOVE || e[KIND] === CAPTURED ? said(e[BEFORE]) : `${said(e[BEFORE])} → ${said(e[AFTER])}`}, ${units[e[UNIT]][0]}`;
  }).join('; ');
}

function dress(m) {
  const ids = m.dataset.e.split(' ').map(Number);
  const live = ids.filter((i) => shown[i]);
  m.className = ['m', ...new Set(live.map((i) => kinds[entries[i][KIND]])), m.dataset.p ? 'point' : ''].filter(Boolean).join(' ');
  if (live.length) {
    m.setAttribute('role', 'button');
    // Its own text names it; where there is none to read, the change does.
    m.setAttribute(m.textContent.trim() ? 'aria-description' : 'aria-label', label(live));
    m.tabIndex = live.includes(current) ? 0 : -1;
    m.classList.toggle('at', live.includes(current));
    m.classList.toggle('pending', !!room && live.some(room.isPending));
  } else {
    m.classList.add('off');
    m.removeAttribute('role'); m.removeAttribute('aria-label'); m.removeAttribute('aria-description'); m.removeAttribute('tabindex');
  }
}

function mark(ids, text, breaks) {
  const m = make('span', 'm');
  m.dataset.e = ids.join(' ');
  if (text) put(m, text, true, breaks); else m.dataset.p = '1';
  dress(m);
  return m;
}

function fill(cell, row, side) {
  const ops = opsOf(row);
  // Of the line ends at the end of a row only those that were changed are shown.
  let last = ops.length - 1;
  while (last > 0 && /^[\r\n]*$/.test(left(ops[last]) + right(ops[last]))) last--;
  ops.forEach((op, i) => {
    const both = typeof op === 'string' || op.length === 2;
    let text = side === 's' ? left(op) : right(op);
    const ids = idsOf(op);
    const own = both && text ? ids.filter((e) => entries[e][KIND] !== (side === 's' ? SUGGESTION : CAPTURED)) : ids;
    if (i >= last && !own.length) text = text.replace(/\n+$/, '');
    if (!ids.length) { if (text) put(cell, text, false); return; }
    if (text) {
      if (own.length) cell.append(mark(own, text, i < last)); else put(cell, text, false);
      return;
    }
    // An empty side: the place of what was put in, or of what was taken away; a move leaves none.
    if (!both && ids.some((e) => entries[e][KIND] === MOVE)) return;
    if (both && side === 's') return;
    const there = ids.filter((e) => entries[e][KIND] !== CAPTURED);
    if (!there.length) return;
    const near = cell.lastChild;
    if (near && near.dataset && near.dataset.p && near.dataset.e.split(' ').some((e) => ids.includes(Number(e)))) {
      near.dataset.e = [...new Set([...near.dataset.e.split(' '), ...there])].join(' ');
      dress(near);
    } else cell.append(mark(there, ''));
  });
}

function drawRow(r) {
  const row = rows[r];
  const el = make('div', 'row');
  el.setAttribute('role', 'row');
  el.setAttribute('aria-rowindex', r + 2);
  el.dataset.r = r;
  if (typeof row === 'string') el.classList.add('same');
  if (continued.has(r)) el.classList.add('cont');
  const no = make('span', 'no', continued.has(r) || !opsOf(row).some(left) ? '' : String(lineOf[r]));
  for (const kind of new Set((marks.get(r) || []).map(([k]) => k))) {
    if (HEADS.has(kind)) el.classList.add('head');
    no.append(make('span', '', w('mark-' + kind)));
  }
  no.setAttribute('role', no.textContent ? 'rowheader' : 'cell');
  el.append(no);
  for (const side of ['s', 'c']) {
    const cell = make('div', 'cell ' + side);
    cell.setAttribute('role', 'cell');
    cell.lang = data.language;
    cell.dir = 'auto';
    cell.dataset.l = w(side === 's' ? 'source' : 'clean');
    fill(cell, row, side);
    el.append(cell);
  }
  return el;
}

// --- only what is near the reader is in the page --------------------------------------------------------------
const table = $('table');
const host = make('div', 'host');
host.setAttribute('role', 'presentation');
table.append(host);
let parts = [], part = 0, chunks = [], chunkOfRow = new Map();
const watcher = new IntersectionObserver((seen) => {
  for (const s of seen) {
    const chunk = chunks[s.target.dataset.i];
    if (!chunk || chunk.el !== s.target) continue;
    if (s.isIntersecting) draw(chunk); else drop(chunk);
  }
}, { rootMargin: '1500px 0px' });

function items() {
  // What is shown, in order: rows, and gaps as [first, behind].
  if (!folded) return Array.from({ length: count }, (_, r) => r);
  const wanted = new Uint8Array(count);
  const want = (r) => { for (let i = Math.max(0, r - AROUND); i <= Math.min(count - 1, r + AROUND); i++) wanted[i] = 1; };
  entries.forEach((e, i) => { if (shown[i]) { want(rowOf[i]); if (otherRow[i] >= 0) want(otherRow[i]); } });
  for (const r of opened) wanted[r] = 1;
  const found = [];
  for (let r = 0; r < count; r++) {
    if (wanted[r]) { found.push(r); continue; }
    let end = r;
    while (end < count && !wanted[end]) end++;
    if (end - r === 1) found.push(r); else found.push([r, end]);
    r = end - 1;
  }
  return found;
}

function layOut(keep) {
  table.setAttribute('aria-rowcount', count + 1);
  parts = [[]];
  let size = 0, inPart = 0, chunk = null;
  for (const item of items()) {
    const weight = typeof item === 'number' ? sizes[item] + 40 : 40;
    if (inPart + weight > PART && parts.at(-1).length) { parts.push([]); inPart = 0; chunk = null; }
    if (!chunk || size + weight > CHUNK || chunk.items.length >= 40) {
      chunk = { items: [], el: null, drawn: false };
      parts.at(-1).push(chunk);
      size = 0;
    }
    chunk.items.push(item);
    size += weight;
    inPart += weight;
  }
  chunkOfRow = new Map();
  parts.forEach((chunks, p) => chunks.forEach((c) => {
    const first = c.items[0];
    c.part = p;
    c.first = typeof first === 'number' ? first : first[0];
  }));
  $('parts').hidden = parts.length < 2;
  $('part').replaceChildren(...parts.map((p, i) => new Option(`${i + 1} / ${parts.length}`, i)));
  openPart(keep >= 0 ? partOf(keep) : 0);
}

function partOf(row) {
  let p = 0;
  while (p + 1 < parts.length && parts[p + 1].length && parts[p + 1][0].first <= row) p++;
  return p;
}

function openPart(p) {
  part = p;
  $('part').value = p;
  watcher.disconnect();
  chunks = parts[p];
  const wide = innerWidth > 704;
  const columns = wide ? (host.clientWidth - 92) / 2 : host.clientWidth;
  const each = Math.max(8, columns / 16.5);
  host.replaceChildren(...chunks.map((c, i) => {
    c.el = make('div', 'chunk');
    c.el.dataset.i = i;
    c.drawn = false;
    c.i = i;
    let height = 0;
    for (const item of c.items) {
      if (typeof item !== 'number') { height += 44; continue; }
      const lines = Math.max(1, Math.ceil(sizes[item] / each)) + Math.max(0, linesIn[item] - 2);
      height += 12 + 28 * lines * (wide || typeof rows[item] === 'string' ? 1 : 2) + (wide ? 0 : 18);
    }
    c.el.style.height = `${height}px`;
    return c.el;
  }));
  chunks.slice(0, 2).forEach(draw);
  for (const c of chunks) watcher.observe(c.el);
  const none = folded && !shownCount;
  $('empty').hidden = !none && entries.length > 0;
  $('empty').textContent = entries.length ? w('noChange') : w('unchanged');
}

function draw(chunk) {
  if (chunk.drawn) return;
  chunk.drawn = true;
  chunk.el.setAttribute('role', 'rowgroup');
  chunk.el.replaceChildren(...chunk.items.map((item) => {
    if (typeof item === 'number') return drawRow(item);
    const gap = make('div', 'gap');
    gap.setAttribute('role', 'row');
    const cell = make('div');
    cell.setAttribute('role', 'cell');
    const n = item[1] - item[0];
    const button = make('button', '', `${n.toLocaleString()} ${w(n === 1 ? 'gap1' : 'gap')}`);
    button.type = 'button';
    button.onclick = () => {
      for (let r = item[0]; r < Math.min(item[1], item[0] + 200); r++) opened.add(r);
      layOut(item[0]);
      showRow(item[0]);
    };
    cell.append(button);
    gap.append(cell);
    return gap;
  }));
  chunk.el.style.height = '';
  light(chunk.el);
}

function drop(chunk) {
  if (!chunk.drawn || chunk.el.contains(document.activeElement)) return;
  chunk.el.style.height = `${chunk.el.offsetHeight}px`;
  chunk.el.removeAttribute('role');
  chunk.el.replaceChildren();
  chunk.drawn = false;
}

function chunkAt(row) {
  let low = 0, high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (chunks[middle].first <= row) low = middle; else high = middle - 1;
  }
  return chunks[low];
}

function showRow(r, find) {
  if (folded && !chunkHas(r)) { opened.add(r); layOut(r); }
  const p = partOf(r);
  if (p !== part) openPart(p);
  const chunk = chunkAt(r);
  if (!chunk) return null;
  for (const c of [chunks[chunk.i - 1], chunk, chunks[chunk.i + 1]]) if (c) draw(c);
  const el = chunk.el.querySelector(`[data-r="${r}"]`);
  const target = (el && find && find(el)) || el;
  if (target) target.scrollIntoView({ block: 'center' });
  for (const now of host.querySelectorAll('.row.now')) now.classList.remove('now');
  if (el) el.classList.add('now');
  return target;
}

function chunkHas(r) {
  const p = parts[partOf(r)];
  let found = null;
  for (const c of p) { if (c.first <= r) found = c; else break; }
  return found && found.items.includes(r);
}

// --- going from change to change -------------------------------------------------------------------------------
function go(e, other) {
  if (e < 0 || e >= entries.length) return;
  if (!shown[e]) { onKind.fill(true); onPhase.fill(true); onUnit.fill(true); apply(); }
  const was = current;
  current = e;
  const row = other && otherRow[e] >= 0 ? otherRow[e] : rowOf[e];
  const target = showRow(row, (el) => {
    const own = [...el.querySelectorAll(`[data-e~="${e}"]`)];
    return own.find((m) => m.closest('.c') && !m.dataset.p) || own.find((m) => !m.dataset.p) || own[0];
  });
  for (const m of host.querySelectorAll(`.m[data-e~="${was}"], .m[data-e~="${e}"]`)) dress(m);
  if (target && target.dataset.e) {
    target.focus({ preventScroll: true });
    openCard(target, false);
  }
  counted();
  $('said').textContent = `${ranks[e] + 1} ${w('of')} ${shownCount}: ${label([e])}`;
  history.replaceState(null, '', `#c${e}`);
}

function step(direction, sameRule) {
  let e = current;
  if (e < 0) {
    const row = topRow();
    e = direction > 0 ? entries.findIndex((_, i) => rowOf[i] >= row) - 1 : entries.findIndex((_, i) => rowOf[i] >= row);
    if (e < -1 || (direction > 0 && e === -2)) e = direction > 0 ? -1 : entries.length;
  }
  const unit = current >= 0 ? entries[current][UNIT] : -1;
  for (let i = e + direction; i >= 0 && i < entries.length; i += direction) {
    if (shown[i] && (!sameRule || unit < 0 || entries[i][UNIT] === unit)) { go(i); return; }
  }
}

function topRow() {
  const top = document.querySelector('.bar').getBoundingClientRect().bottom + 4;
  let low = 0, high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (chunks[middle].el.getBoundingClientRect().bottom < top) low = middle + 1; else high = middle;
  }
  const chunk = chunks[low];
  if (!chunk) return 0;
  for (const el of chunk.el.querySelectorAll('[data-r]')) if (el.getBoundingClientRect().bottom >= top) return Number(el.dataset.r);
  return chunk.first;
}

function counted() {
  $('count').textContent = current >= 0 && shown[current] ? `${(ranks[current] + 1).toLocaleString()} ${w('of')} ${shownCount.toLocaleString()}` : shownCount.toLocaleString();
}

// --- the card ---------------------------------------------------------------------------------------------------
const card = $('card');
let holder = null, closing = 0, opening = 0;

function openCard(m, fromMouse) {
  clearTimeout(closing);
  const ids = m.dataset.e.split(' ').map(Number).filter((i) => shown[i]);
  if (!ids.length) return;
  if (holder && holder !== m) holder.removeAttribute('aria-describedby');
  for (const t of host.querySelectorAll('.twin')) t.classList.remove('twin');
  holder = m;
  card.replaceChildren(...ids.slice(0, 6).map(told));
  if (ids.length > 6) card.append(make('p', '', `+ ${ids.length - 6}`));
  card.hidden = false;
  m.setAttribute('aria-describedby', 'card');
  for (const i of ids) for (const t of host.querySelectorAll(`.m[data-e~="${i}"]`)) if (t !== m) t.classList.add('twin');
  place();
}

function place() {
  if (card.hidden || !holder || !holder.isConnected) { closeCard(); return; }
  const rects = holder.getClientRects();
  const r = rects[rects.length - 1] || holder.getBoundingClientRect();
  if (r.bottom < 0 || r.top > innerHeight) { closeCard(); return; }
  const width = card.offsetWidth, height = card.offsetHeight;
  card.style.left = `${Math.max(8, Math.min(r.left, innerWidth - width - 12))}px`;
  const under = r.bottom + 8 + height < innerHeight || r.top < height + 16;
  card.style.top = under ? `${r.bottom + 8}px` : `${rects[0].top - height - 8}px`;
}

function closeCard() {
  if (card.hidden) return;
  card.hidden = true;
  if (holder) holder.removeAttribute('aria-describedby');
  for (const t of host.querySelectorAll('.twin')) t.classList.remove('twin');
  holder = null;
}

function text(tag, value) {
  const el = make(tag);
  put(el, typeof value === 'string' ? value : value[0], true);
  if (typeof value !== 'string') el.append(make('small', '', ` ${value[1].toLocaleString()} ${w('truncated')}`));
  return el;
}

function told(i) {
  const e = entries[i], u = units[e[UNIT]], kind = kinds[e[KIND]];
  const el = make('section', kind);
  const what = make('p', 'what');
  what.append(make('span', 'sign', w(kind + '-sign')), make('b', '', w(kind)), make('code', '', u[0]));
  el.append(what);
  const fault = lang === 'zh' ? u[3] || u[2] : u[2] || u[3];
  if (fault) el.append(make('p', '', fault));
  const ba = make('p', 'ba');
  ba.lang = data.language;
  ba.dir = 'auto';
  if (e[KIND] === CAPTURED) { ba.append(make('b', '', `${e[FIELD]}: `)); ba.append(text('span', e[BEFORE])); }
  else if (e[KIND] === MOVE) ba.append(text('span', e[BEFORE]));
  else {
    ba.append(e[BEFORE].length ? text('del', e[BEFORE]) : make('small', '', w('nothing')), ' → ', e[AFTER].length ? text('ins', e[AFTER]) : make('small', '', w('nothing')));
  }
  el.append(ba);
  const reason = data.reasons[e[REASON]];
  if (reason) el.append(make('p', '', `${w('reason')}: ${reason}`));
  if (e[GAIN] !== null) el.append(make('p', '', `${w('gain')}: ${e[GAIN]} ${w('nats')}, ${w(e[GAIN] >= STRONG ? 'strong' : 'weak')}`));
  const facts = [`${w('place')} ${e[LINE]}:${e[COLUMN]}`, w(u[1] ? (u[1] + '-phase') : '-phase')];
  if (e[ROUND] > 1) facts.push(`${w('round')} ${e[ROUND]}`);
  if (u[4]) facts.push(u[4]);
  const small = make('p');
  small.append(make('small', '', facts.join(' · ')));
  el.append(small);
  const acts = make('p', 'acts');
  const act = (key, run) => {
    const b = make('button', '', w(key));
    b.type = 'button';
    b.onclick = run;
    acts.append(b);
  };
  if (e[KIND] === MOVE && otherRow[i] >= 0) act('other', () => swap(i));
  if (onUnit.filter(Boolean).length > 1) act('onlyRule', () => { onUnit.fill(false); onUnit[e[UNIT]] = true; apply(); go(i); });
  if (room) room.acts(i, act);
  el.append(acts);
  return el;
}

let atOther = false;
function swap(i) {
  atOther = current === i ? !atOther : true;
  go(i, atOther);
}

// Text that scrolls under a mouse at rest is not pointed at.
let mouse = [-1, -1], rested = false;
addEventListener('pointermove', (event) => { mouse = [event.clientX, event.clientY]; }, { passive: true, capture: true });
host.addEventListener('pointerover', (event) => {
  rested = event.clientX === mouse[0] && event.clientY === mouse[1];
  const m = !rested && event.pointerType === 'mouse' && event.target.closest('.m:not(.off)');
  if (!m) return;
  clearTimeout(opening); clearTimeout(closing);
  opening = setTimeout(() => openCard(m, true), 120);
});
const leave = () => { clearTimeout(opening); closing = setTimeout(() => { if (document.activeElement !== holder && !card.contains(document.activeElement)) closeCard(); }, 250); };
host.addEventListener('pointerout', (event) => { if (!rested && event.pointerType === 'mouse' && event.target.closest('.m')) leave(); });
card.addEventListener('pointerenter', () => clearTimeout(closing));
card.addEventListener('pointerleave', leave);
host.addEventListener('click', (event) => {
  const m = event.target.closest('.m:not(.off)');
  if (m) choosed(m);
});
function choosed(m) {
  const ids = m.dataset.e.split(' ').map(Number).filter((i) => shown[i]);
  const was = current;
  current = ids.includes(current) ? current : ids[0];
  atOther = otherRow[current] >= 0 && Number(m.closest('[data-r]').dataset.r) === otherRow[current];
  for (const t of host.querySelectorAll(`.m[data-e~="${was}"], .m[data-e~="${current}"]`)) dress(t);
  m.focus({ preventScroll: true });
  openCard(m, false);
  counted();
}
host.addEventListener('focusin', (event) => { const m = event.target.closest('.m:not(.off)'); if (m) openCard(m, false); });
host.addEventListener('focusout', () => { setTimeout(() => { if (!card.contains(document.activeElement) && !(document.activeElement && document.activeElement.closest('.m'))) closeCard(); }, 0); });
addEventListener('scroll', () => { if (!card.hidden) place(); here(); }, { passive: true });
addEventListener('resize', () => { if (!card.hidden) place(); });

// --- search -----------------------------------------------------------------------------------------------------
let hits = [], hit = -1, hitMore = false, query = '', searching = 0, hitRows = new Map();
const sideText = (row, side) => (typeof row === 'string' ? row : row.map(side === 's' ? left : right).join(''));

async function search(value) {
  const mine = ++searching;
  query = value;
  hits = []; hit = -1; hitMore = false; hitRows = new Map();
  if (value && !/^:\d+$/.test(value)) {
    const pattern = new RegExp(value.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
    for (let r = 0; r < count && !hitMore; r++) {
      if (r % 20000 === 19999) { await new Promise((done) => setTimeout(done)); if (mine !== searching) return; }
      const row = rows[r];
      for (const side of typeof row === 'string' ? ['c'] : ['s', 'c']) {
        const textOf = sideText(row, side);
        pattern.lastIndex = 0;
        for (let m = pattern.exec(textOf); m; m = pattern.exec(textOf)) {
          if (!m[0]) break;
          if (hits.length >= MOST_HITS) { hitMore = true; break; }
          if (!hitRows.has(r)) hitRows.set(r, []);
          hitRows.get(r).push(hits.length);
          hits.push([r, side, m.index, m[0].length]);
        }
      }
    }
  }
  showHits();
  light(host);
}

function showHits() {
  const number = `${hits.length.toLocaleString()}${hitMore ? '+' : ''}`;
  $('hits').textContent = !query || /^:\d*$/.test(query) ? '' : !hits.length ? w('noMatch') : hit >= 0 ? `${(hit + 1).toLocaleString()} ${w('of')} ${number}` : `${number} ${w('found')}`;
}

function nextHit(direction) {
  const line = /^:(\d+)$/.exec(query);
  if (line) {
    let low = 0, high = count - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (lineOf[middle] <= Number(line[1])) low = middle; else high = middle - 1; }
    showRow(low);
    return;
  }
  if (!hits.length) return;
  if (hit < 0) {
    const row = topRow();
    hit = hits.findIndex((h) => h[0] >= row);
    if (hit < 0) hit = 0;
    if (direction < 0) hit = (hit - 1 + hits.length) % hits.length;
  } else hit = (hit + direction + hits.length) % hits.length;
  const [r, side, at] = hits[hit];
  showRow(r, (el) => { const spot = locate(el.querySelector('.' + side), at); return spot && spot[0].parentElement.closest('.m, .cell'); });
  showHits();
  light(host);
}

function locate(cell, at) {
  // The node and the offset in it that hold the character `at` of this side's text.
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === 1) {
      if (node.classList.contains('g')) {
        const n = Number(node.dataset.n);
        if (at < n) return [node.parentNode, [...node.parentNode.childNodes].indexOf(node)];
        at -= n;
        if (node.firstChild) walker.currentNode = node.firstChild;
      }
    } else if (at <= node.length) {
      if (at < node.length || !walker.nextNode()) return [node, at];
      walker.previousNode();
      at -= node.length;
    } else at -= node.length;
  }
  return null;
}

function light(root) {
  if (!('highlights' in CSS)) return;
  if (root === host || !CSS.highlights.has('found')) {
    CSS.highlights.set('found', new Highlight());
    CSS.highlights.set('found-now', new Highlight());
    root = host;
  }
  if (!hits.length) return;
  for (const el of root.querySelectorAll('[data-r]')) {
    for (const i of hitRows.get(Number(el.dataset.r)) || []) {
      const [r, side, at, length] = hits[i];
      for (const s of typeof rows[r] === 'string' ? ['s', 'c'] : [side]) {
        const cell = el.querySelector('.' + s);
        const from = locate(cell, at), to = locate(cell, at + length);
        if (!from || !to) continue;
        const range = document.createRange();
        range.setStart(...from);
        range.setEnd(...to);
        CSS.highlights.get(i === hit ? 'found-now' : 'found').add(range);
      }
    }
  }
}

// --- choices ----------------------------------------------------------------------------------------------------
function apply() {
  choose();
  if (current >= 0 && !shown[current]) { current = -1; }
  closeCard();
  const row = topRow();
  if (folded) layOut(row); else for (const m of host.querySelectorAll('.m')) dress(m);
  controls();
  chart();
  counted();
  $('empty').hidden = shownCount > 0 || !folded;
}

function chip(parent, name, on, number, cls, toggle) {
  const b = make('button', cls);
  b.type = 'button';
  b.setAttribute('aria-pressed', on);
  if (cls) b.append(make('i', '', w(cls + '-sign')));
  b.append(`${name} `, make('b', '', number.toLocaleString()));
  b.onclick = toggle;
  parent.append(b);
}

function controls() {
  const focus = document.activeElement && document.activeElement.closest('.chips, #rules');
  const index = focus ? [...focus.querySelectorAll('button, input')].indexOf(document.activeElement) : -1;
  const byKind = kinds.map(() => 0), byPhase = phaseNames.map(() => 0), byUnit = units.map(() => 0);
  for (const e of entries) { byKind[e[KIND]]++; byPhase[phaseOf[e[UNIT]]]++; byUnit[e[UNIT]]++; }
  $('kinds').replaceChildren();
  kinds.forEach((k, i) => byKind[i] && chip($('kinds'), w(k), onKind[i], byKind[i], k, () => { onKind[i] = !onKind[i]; apply(); }));
  $('phases').replaceChildren();
  phaseNames.forEach((p, i) => chip($('phases'), w(p ? p + '-phase' : '-phase'), onPhase[i], byPhase[i], '', () => { onPhase[i] = !onPhase[i]; apply(); }));
  const most = Math.max(1, ...byUnit);
  $('rules').replaceChildren(...units.map((u, i) => [u, i]).filter(([, i]) => byUnit[i]).sort((a, b) => byUnit[b[1]] - byUnit[a[1]] || a[1] - b[1]).map(([u, i]) => {
    const li = make('li'), lab = make('label'), input = make('input');
    input.type = 'checkbox';
    input.checked = onUnit[i];
    input.id = 'rule' + i;
    input.onchange = () => { onUnit[i] = input.checked; apply(); };
    lab.append(input, make('code', '', u[0]), make('b', '', byUnit[i].toLocaleString()));
    const only = make('button', '', w('only'));
    only.type = 'button';
    only.setAttribute('aria-label', `${w('only')} ${u[0]}`);
    only.onclick = () => { onUnit.fill(false); onUnit[i] = true; apply(); };
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', 'bar-line');
    svg.setAttribute('viewBox', '0 0 100 4');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    rect.setAttribute('width', Math.max(0.8, 100 * byUnit[i] / most).toFixed(1));
    rect.setAttribute('height', '4');
    svg.append(rect);
    li.append(lab, only, svg, make('small', '', lang === 'zh' ? u[3] || u[2] : u[2] || u[3]));
    return li;
  }));
  if (index >= 0) { const again = focus.querySelectorAll('button, input')[index]; if (again) again.focus(); }
}

function chart() {
  const bins = Array.from({ length: BINS }, () => kinds.map(() => 0));
  entries.forEach((e, i) => { if (shown[i]) bins[Math.min(BINS - 1, Math.floor(placeOf[i] * BINS / total))][e[KIND]]++; });
  const sum = (b) => b.reduce((x, y) => x + y, 0);
  const most = Math.max(1, ...bins.map(sum));
  kinds.forEach((kind, k) => {
    const d = bins.map((b, i) => {
      if (!b[k]) return '';
      const below = sum(b.slice(0, k)), h = 40 * b[k] / most;
      return `M${i * 5} ${(40 - 40 * below / most - h).toFixed(2)}h4v${h.toFixed(2)}h-4z`;
    });
    $('along').querySelector('path.' + kind).setAttribute('d', d.join(''));
  });
}

let ticking = false;
function here() {
  if (ticking) return;
  ticking = true;
  requestAnimationFrame(() => {
    ticking = false;
    const x = (starts[topRow()] / total * BINS * 5).toFixed(1);
    $('here').setAttribute('d', `M${x} 0V40`);
  });
}

$('along').addEventListener('click', (event) => {
  const r = $('along').getBoundingClientRect();
  const at = (event.clientX - r.left) / r.width * total;
  let low = 0, high = count - 1;
  while (low < high) { const middle = (low + high + 1) >> 1; if (starts[middle] <= at) low = middle; else high = middle - 1; }
  current = -1;
  showRow(low);
  counted();
});

// --- words --------------------------------------------------------------------------------------------------------
function speak() {
  document.documentElement.lang = lang === 'zh' ? 'zh-Hans' : 'en';
  for (const el of document.querySelectorAll('[data-w]')) el.textContent = w(el.dataset.w);
  for (const el of document.querySelectorAll('[data-w-label]')) el.setAttribute('aria-label', w(el.dataset.wLabel));
  for (const el of document.querySelectorAll('[data-w-ph]')) el.placeholder = w(el.dataset.wPh);
  $('language').lang = lang === 'zh' ? 'en' : 'zh-Hans';
  $('signs').replaceChildren(...kinds.map((k) => {
    const li = make('li', k), sample = make('span', 'sample');
    const one = make('span', 's'), two = make('span', 'c'), m = make('span', 'm ' + k), n = make('span', 'm ' + k);
    const parts = { substitute: ['甲', ',', '，', '乙'], supply: ['甲', '', '，', '乙'], delete: ['甲', '乙', '', '丙'], move: ['', '甲', '甲', ''], captured: ['', '2024', '', ''], suggestion: ['', '', '己', '经'], suppressed: ['', '甲,乙', '甲,乙', ''] }[k];
    m.textContent = parts[1]; n.textContent = parts[2];
    if (!parts[1]) m.classList.add('point');
    if (!parts[2]) n.classList.add('point');
    if (k === 'suggestion') one.append('己经'); else one.append(parts[0], m, parts[3]);
    if (k === 'captured') two.append('2024'); else two.append(parts[0], n, parts[3]);
    sample.append(one, ' → ', two);
    sample.lang = 'zh-Hans';
    li.append(make('span', 'sign', w(k + '-sign')), sample, make('span', '', w(k)));
    return li;
  }));
  const list = $('moves-list');
  if (list) {
    const ol = make('ol');
    entries.forEach((e, i) => {
      if (e[KIND] !== MOVE || ol.children.length >= 300) return;
      const b = make('button', '', `${w('place')} ${e[LINE]}:${e[COLUMN]} · ${e[GAIN] === null ? '' : `${e[GAIN]} ${w('nats')} · `}${said(e[BEFORE]).slice(0, 40)}`);
      b.type = 'button';
      b.onclick = () => go(i);
      const li = make('li');
      li.append(b);
      ol.append(li);
    });
    list.replaceChildren(...(ol.children.length ? [make('p', 'unseen', w('movesList')), ol] : []));
  }
  controls();
  counted();
  showHits();
  if (room) room.spoke();
}

function setLanguage(to) {
  lang = to;
  const row = topRow();
  closeCard();
  speak();
  openPart(part);
  showRow(row);
}

// --- controls -----------------------------------------------------------------------------------------------------
$('language').onclick = () => setLanguage(lang === 'zh' ? 'en' : 'zh');
$('ask').onclick = () => $('help').showModal();
$('next').onclick = () => step(1);
$('previous').onclick = () => step(-1);
$('all').onclick = () => { onUnit.fill(true); apply(); };
$('none').onclick = () => { onUnit.fill(false); apply(); };
const toggleFold = () => {
  folded = !folded;
  opened = new Set();
  $('fold').setAttribute('aria-pressed', folded);
  const row = current >= 0 ? rowOf[current] : topRow();
  layOut(row);
  if (row > 0) showRow(row);
};
$('fold').onclick = toggleFold;
$('part').onchange = () => { openPart(Number($('part').value)); current = -1; counted(); $('table').scrollIntoView(); };
let typing = 0;
$('find').addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(() => search($('find').value), 150); });
$('find').addEventListener('keydown', async (event) => {
  if (event.key === 'Enter' && !event.isComposing) {
    event.preventDefault();
    clearTimeout(typing);
    if (query !== $('find').value) await search($('find').value);
    nextHit(event.shiftKey ? -1 : 1);
  } else if (event.key === 'Escape') { $('find').value = ''; search(''); $('find').blur(); }
});
const drawn = document.querySelector('.drawn');
if (drawn) {
  drawn.addEventListener('click', (event) => {
    const g = event.target.closest('g[class]');
    const number = g && /(?:^|\s)a(\d+)/.exec(g.getAttribute('class'));
    if (number && data.blocks[number[1]] !== undefined) go(data.blocks[number[1]]);
  });
}
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !card.hidden) { closeCard(); return; }
  const typingNow = event.target.closest && event.target.closest('input:not([type=checkbox]), select, textarea, dialog');
  if (typingNow || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if ((event.key === 'Enter' || event.key === ' ') && event.target.classList && event.target.classList.contains('m')) {
    event.preventDefault();
    const first = card.querySelector('button');
    openCard(event.target, false);
    if (first) card.querySelector('button').focus();
    return;
  }
  if (!$('keys').checked && event.key !== '?') return;
  if (room && room.key(event)) { event.preventDefault(); return; }
  const act = {
    j: () => step(1), n: () => step(1), k: () => step(-1), p: () => step(-1), J: () => step(1, true), N: () => step(1, true), K: () => step(-1, true), P: () => step(-1, true),
    '/': () => $('find').focus(), u: toggleFold, l: () => setLanguage(lang === 'zh' ? 'en' : 'zh'), '?': () => $('help').showModal(),
    m: () => { if (current >= 0 && otherRow[current] >= 0) swap(current); },
  }[event.key];
  if (act) { event.preventDefault(); act(); }
});
card.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && holder) { const m = holder; m.focus({ preventScroll: true }); closeCard(); event.stopPropagation(); }
});

// --- print --------------------------------------------------------------------------------------------------------
let before = null;
addEventListener('beforeprint', () => {
  before = { folded, row: topRow() };
  closeCard();
  let list = items();
  if (list.length > MOST_PRINTED) {
    folded = true;
    list = items().filter((item) => typeof item === 'number');
    folded = before.folded;
    if (list.length > MOST_PRINTED || count > MOST_PRINTED) {
      $('printed').textContent = w('printNote').replace('{n}', MOST_PRINTED.toLocaleString());
      $('printed').hidden = false;
    }
    list = list.slice(0, MOST_PRINTED);
  }
  watcher.disconnect();
  host.replaceChildren();
  chunks = [{ items: list, el: make('div', 'chunk'), drawn: false, i: 0, first: 0 }];
  host.append(chunks[0].el);
  draw(chunks[0]);
});
addEventListener('afterprint', () => {
  if (!before) return;
  $('printed').hidden = true;
  openPart(part);
  showRow(before.row);
  before = null;
});

// --- begin --------------------------------------------------------------------------------------------------------
document.documentElement.classList.remove('plain');
if (innerWidth < 1088) $('filters').open = false;
choose();
speak();
layOut(-1);
chart();
const asked = /^#c(\d+)$/.exec(location.hash);
if (asked && Number(asked[1]) < entries.length) go(Number(asked[1]));

// --- for the review room ------------------------------------------------------------------------------------------
function update(next, wanted) {
  const row = Math.min(topRow(), Math.max(0, next.rows.length - 1)), was = query;
  closeCard();
  take(next);
  current = -1;
  opened = new Set();
  choose();
  speak();
  layOut(row);
  chart();
  if (was) search(was);
  const e = wanted ? wanted(entries) : -1;
  if (e >= 0) go(e); else if (row > 0) showRow(row);
}
if (room) {
  room.begin({
    $, w, make, put, said, go, step, update, showRow, closeCard, speak, kinds, entries: () => entries, units: () => units, data: () => data, current: () => current,
    around: (e) => [sideText(rows[rowOf[e]], 's'), sideText(rows[rowOf[e]], 'c')], KIND, UNIT, LINE, COLUMN, BEFORE, AFTER, REASON, GAIN,
  });
}
document.documentElement.dataset.ready = '1';
})();
