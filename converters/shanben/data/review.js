// The review room: what is decided on the page of the report. Loaded before report.js, which calls `begin`.
(() => {
'use strict';
let api, room, $, w, make;
const CHANGES = new Set(['substitute', 'supply', 'delete', 'move']);
const jobs = []; // decisions that are not written yet, in order
const pending = new Set(), skipped = new Set(), typed = new Map();
let busy = false, deciding = null, queued = null, target = -1, looked = null, looking = 0;

// --- entries by what they say, since their numbers change -------------------------------------------------------
const kindOf = (i) => api.kinds[api.entries()[i][api.KIND]];
const keyOf = (i) => {
  const e = api.entries()[i];
  return JSON.stringify([api.units()[e[api.UNIT]][0], kindOf(i), e[api.LINE], e[api.COLUMN], e[api.BEFORE], e[api.AFTER]]);
};
const find = (key) => api.entries().findIndex((_, i) => keyOf(i) === key);
const words = (value) => (typeof value === 'string' ? value : value[0]);

// --- asking the server ------------------------------------------------------------------------------------------
const address = (name) => `/text/${room.number}/${name}`;
async function ask(name, values, signal) {
  const options = values === undefined ? { signal } : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(values), signal };
  let answer;
  try {
    answer = await fetch(address(name), { ...options, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw Object.assign(new Error(w('offline')), { status: 0 });
  }
  if (answer.status === 403 || answer.status === 421) throw Object.assign(new Error(w('forbidden')), { status: 403 });
  let told = {};
  try { told = await answer.json(); } catch { /* a refusal is plain text */ }
  if (!answer.ok) throw Object.assign(new Error([told.error || `${answer.status}`, told.fix].filter(Boolean).join('\n')), { status: answer.status, changed: told.changed || [] });
  return told;
}

// While a decision is being written the state goes on: then it is asked once more.
async function lookAt(key) {
  for (let n = 0; ; n++) {
    const i = find(key);
    if (i < 0) throw Object.assign(new Error(w('goneEntry')), { status: 422 });
    try {
      return await ask('look', { entry: i, versions: room.versions });
    } catch (error) {
      if (error.status !== 409 || n >= 100) throw error;
      await new Promise((done) => setTimeout(done, 300));
    }
  }
}

// --- telling ----------------------------------------------------------------------------------------------------
function notice(text) {
  $('notice').textContent = text;
  $('notice').hidden = !text;
}
const conflictWords = (changed, last) => [...changed.map((c) => w(`conflict-${c}`)), w(last)].join(' ');

function status(text) {
  const waiting = jobs.length - (busy ? 1 : 0);
  $('saved').textContent = [text ?? (busy ? w('writing') : ''), waiting > 0 ? w('waiting').replace('{n}', waiting) : ''].filter(Boolean).join(' ');
}

function numbers(content) {
  const list = document.querySelector('.numbers');
  list.replaceChildren(...content.numbers.map(([n, key]) => {
    const li = make('li'), word = make('span', '', w(key));
    word.dataset.w = key;
    li.append(make('b', '', n.toLocaleString('en')), ' ', word);
    return li;
  }));
}

function picture(content) {
  const old = $('moved'), made = new DOMParser().parseFromString(content.picture, 'text/html').getElementById('moved');
  if (old && made) { made.open = old.open; old.replaceWith(document.importNode(made, true)); }
  else if (old) old.remove();
  else if (made) $('table').before(document.importNode(made, true));
}

function show(content, wanted) {
  const here = api.current() >= 0 ? keyOf(api.current()) : '';
  room = content.room;
  numbers(content);
  picture(content);
  api.update(content, wanted || (() => (here ? find(here) : -1)));
  draw();
}

function draw() {
  $('undo').disabled = !room.undo;
  $('own-file').textContent = w('ownFile').replace('{file}', room.file);
  $('edition').href = address('edition.html');
  $('decided-count').textContent = room.decided.length || '';
  $('decided-list').replaceChildren(...room.decided.map((d) => {
    const li = make('li'), pre = make('pre', '', d.raw), out = make('button', '', w('takeOut'));
    pre.tabIndex = 0;
    out.type = 'button';
    out.setAttribute('aria-label', `${w('takeOut')}: ${d.rule}, ${w('line')} ${d.line}`);
    out.onclick = () => change('out', { list: d.list, digest: d.digest }, 'takenBack');
    li.append(make('code', '', d.rule), make('p', '', d.reason), pre, out);
    return li;
  }));
  const left = suggestions();
  $('queue-left').textContent = left.length ? left.length.toLocaleString() : '';
  $('open-queue').disabled = !left.length && $('queue').hidden;
  if (!$('queue').hidden) showQueue();
  status(null);
}

// --- writing, one after the other -------------------------------------------------------------------------------
function decide(job) {
  jobs.push(job);
  pending.add(job.key);
  redress(job.key);
  notice('');
  pump();
}

function redress(key) {
  const i = find(key);
  if (i >= 0) for (const m of document.querySelectorAll(`.m[data-e~="${i}"]`)) m.classList.toggle('pending', pending.has(key));
}

async function pump() {
  if (busy || !jobs.length) return;
  busy = true;
  const job = jobs[0];
  let done = [job];
  status(null);
  let text = null;
  try {
    const values = (one) => {
      const i = find(one.key);
      if (i < 0) throw Object.assign(new Error(w('goneEntry')), { status: 422 });
      const e = api.entries()[i];
      return { action: one.action, entry: i, unit: api.units()[e[api.UNIT]][0], line: e[api.LINE], column: e[api.COLUMN], reason: one.reason, text: one.text || '' };
    };
    // What waited while the work was cleaned is refused with one cleaning, if it can be.
    const together = job.alone ? [] : jobs.slice(0, jobs.findIndex((one) => one.action !== 'refuse' || one.alone) >>> 0).slice(0, 50);
    let told;
    if (together.length > 1) {
      try {
        told = await ask('decide', { together: together.map(values), versions: room.versions });
        done = together;
      } catch (error) {
        if (error.status !== 422) throw error;
        for (const one of together) one.alone = true;
      }
    }
    told ??= await ask('decide', { ...values(job), versions: room.versions });
    jobs.splice(0, done.length);
    for (const one of done) pending.delete(one.key);
    show(told.state);
    text = w('written');
    $('said').textContent = [w('written'), told.besides].filter(Boolean).join('. ');
  } catch (error) {
    jobs.shift();
    pending.delete(job.key);
    redress(job.key);
    await failed(error);
    again(job);
  }
  busy = false;
  status(text);
  if (jobs.length) pump();
}

async function failed(error) {
  if (error.status === 409) {
    const changed = error.changed;
    try {
      show(await ask('state'));
      notice(conflictWords(changed, 'conflictNow'));
    } catch (other) { notice(`${conflictWords(changed, 'conflictNow')}\n${other.message}`); }
  } else notice(`${w('failed')} ${error.message}`);
}

// What was typed for a decision that was not written comes back, at the place it was for.
function again(job) {
  typed.set(job.key, job);
  const i = find(job.key);
  if (i < 0 || $('decide').open || $('trial').open) return;
  if (kindOf(i) === 'suggestion' && !$('queue').hidden && job.action !== 'edit') { queued = job.key; showQueue(); return; }
  openDecide(i, job.action);
}

async function change(name, values, done) {
  if (busy) { setTimeout(() => change(name, values, done), 200); return; }
  busy = true;
  status(null);
  let text = null;
  notice('');
  try {
    const told = await ask(name, { ...values, versions: room.versions });
    show(told.state);
    text = w(done);
  } catch (error) { await failed(error); }
  busy = false;
  status(text);
  pump();
}

function undo() {
  if (!room.undo && !busy) { notice(w('nothingToUndo')); return; }
  change('undo', {}, 'takenBack');
}

// --- one change -------------------------------------------------------------------------------------------------
function tell(parent, left, before, after, right) {
  parent.lang = api.data().language;
  parent.replaceChildren();
  const put = (tag, text) => { const el = make(tag); api.put(el, text, tag !== 'span'); parent.append(el); };
  put('span', left);
  if (before) put('del', before);
  if (after) put('ins', after);
  put('span', right);
}

function openDecide(i, action) {
  const e = api.entries()[i], key = keyOf(i), kind = kindOf(i), before = typed.get(key);
  if (pending.has(key)) return;
  deciding = { key, action };
  const title = action === 'edit' ? 'titleEdit' : kind === 'suggestion' ? 'titleDismiss' : 'titleRefuse';
  $('decide-title').textContent = w(title);
  $('decide-title').dataset.w = title;
  tell($('decide-what'), '', words(e[api.BEFORE]), kind === 'move' || kind === 'captured' ? '' : words(e[api.AFTER]), '');
  $('reason').value = before ? before.reason : w(kind === 'suggestion' && action === 'refuse' ? 'why-dismiss' : `why-${action}`);
  $('text-field').hidden = action !== 'edit';
  $('text-new').value = before && before.action === 'edit' ? before.text : '';
  $('decide-fault').hidden = true;
  $('keep-part').hidden = action !== 'refuse' || !CHANGES.has(kind);
  $('keep-part').open = false;
  $('keep-diff').textContent = '';
  if (!$('decide').open) $('decide').showModal();
  if (action === 'edit') $('text-new').focus(); else { $('reason').focus(); $('reason').select(); }
  if (kind === 'suppressed' || kind === 'captured') return;
  lookAt(key).then((told) => {
    if (!deciding || deciding.key !== key) return;
    if (action === 'edit') {
      if (!before && !$('text-new').value) { $('text-new').value = kind === 'suggestion' ? told.after || told.text : told.text; $('text-new').select(); }
      tell($('decide-what'), told.left, told.text, '', told.right);
    } else if (kind !== 'move') tell($('decide-what'), told.left, words(e[api.BEFORE]), words(e[api.AFTER]), told.right);
  }).catch((error) => { if (action === 'edit') fault(error); });
}
function fault(error) {
  $('decide-fault').textContent = error.message;
  $('decide-fault').hidden = false;
}

function submit(event) {
  event.preventDefault();
  const reason = $('reason').value.trim();
  if (!reason) { fault(new Error(w('needsReason'))); $('reason').focus(); return; }
  const job = { key: deciding.key, action: deciding.action, reason, text: $('text-new').value };
  typed.delete(job.key);
  $('decide').close();
  decide(job);
  onwards(job.key);
}

function onwards(key) {
  const i = find(key);
  if (i >= 0 && api.current() === i) api.step(1);
}

async function keep() {
  if (!$('keep-part').open || !deciding || $('keep-diff').textContent) return;
  const i = find(deciding.key);
  if (i < 0) return;
  const e = api.entries()[i], all = api.around(i)[0], at = Math.max(0, all.indexOf(words(e[api.BEFORE]) || all));
  const text = all.slice(Math.max(0, at - 16), at + words(e[api.BEFORE]).length + 16).split('\n').filter((t) => t.includes(words(e[api.BEFORE]))).join('') || all.slice(0, 40);
  try {
    $('keep-diff').textContent = (await ask('keep', { unit: api.units()[e[api.UNIT]][0], text })).diff;
  } catch (error) { $('keep-diff').textContent = error.message; }
}

function accept(i) {
  if (kindOf(i) === 'suggestion') { openQueue(keyOf(i)); return; }
  $('saved').textContent = w('acceptNext');
  api.step(1);
}

function restore(i) {
  const e = api.entries()[i], unit = api.units()[e[api.UNIT]][0], reason = api.data().reasons[e[api.REASON]];
  const own = room.decided.filter((d) => d.list === 'suppress' && d.rule === unit && d.reason === reason);
  if (own.length === 1) change('out', { list: 'suppress', digest: own[0].digest }, 'takenBack');
  else { $('decided').open = true; $('decided').scrollIntoView(); $('decided').querySelector('summary').focus(); }
}

// --- the suggestions, one by one ----------------------------------------------------------------------------------
const suggestions = () => api.entries().map((_, i) => i).filter((i) => kindOf(i) === 'suggestion' && !pending.has(keyOf(i)));

function openQueue(key) {
  queued = key || null;
  $('queue').hidden = false;
  $('open-queue').setAttribute('aria-expanded', 'true');
  showQueue();
}

function closeQueue() {
  $('queue').hidden = true;
  looked = null;
  $('open-queue').setAttribute('aria-expanded', 'false');
  if ($('queue').contains(document.activeElement)) $('open-queue').focus();
}

function queueEntry() {
  const all = suggestions(), open = all.filter((i) => !skipped.has(keyOf(i)));
  let i = queued ? find(queued) : -1;
  if (i < 0 || pending.has(queued)) i = open.find((n) => n > api.current()) ?? open[0] ?? all[0] ?? -1;
  return i;
}

function showQueue() {
  const all = suggestions(), i = queueEntry();
  if (i < 0) {
    queued = null;
    closeQueue();
    $('saved').textContent = w('queueDone');
    $('open-queue').disabled = true;
    return;
  }
  const key = keyOf(i), e = api.entries()[i], is_new = !looked || looked.key !== key;
  queued = key;
  $('queue-count').textContent = `${all.indexOf(i) + 1} ${w('of')} ${all.length}`;
  $('queue-rule').textContent = api.units()[e[api.UNIT]][0];
  const reason = api.data().reasons[e[api.REASON]];
  $('queue-why').textContent = [reason, e[api.GAIN] === null ? '' : `${e[api.GAIN]} ${w('nats')}`].filter(Boolean).join(' · ');
  if (!is_new) return;
  looked = { key, moves: [] };
  target = -1;
  const moves = words(e[api.BEFORE]) === words(e[api.AFTER]);
  const cut = moves && !words(e[api.BEFORE]).trim();
  $('queue-accept').disabled = cut;
  $('goal-field').hidden = !moves || cut;
  $('goal').value = '';
  $('queue-targets').replaceChildren();
  const before = typed.get(key);
  $('queue-reason').value = before ? before.reason : w(moves ? (cut ? 'why-dismiss' : 'why-move') : 'why-accept');
  tell($('queue-text'), '', words(e[api.BEFORE]), moves ? '' : words(e[api.AFTER]), '');
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (queued !== key || $('queue').hidden) return;
    api.go(find(key));
    api.closeCard();
  }));
  const mine = ++looking;
  lookAt(key).then((told) => {
    if (mine !== looking || !looked || looked.key !== key) return;
    looked.moves = told.targets;
    tell($('queue-text'), told.left, told.text, moves ? '' : told.after, told.right);
    if (cut) $('queue-text').append(make('small', '', ` ${w('cutWords')}`));
    drawTargets();
  }).catch(() => {});
}

function drawTargets() {
  $('queue-targets').replaceChildren(...looked.moves.map((t, n) => {
    const b = make('button', 'target');
    b.type = 'button';
    b.setAttribute('role', 'radio');
    b.setAttribute('aria-checked', target === n);
    const left = make('span'), body = make('ins'), right = make('span');
    api.put(left, t.left, false);
    api.put(body, t.head === t.tail ? t.head : `${t.head}…${t.tail}`, false);
    api.put(right, t.right, false);
    b.append(make('kbd', '', String(n + 1)), ' ', left, body, right, make('small', '', ` ${t.gain} ${w('nats')}`));
    b.lang = api.data().language;
    b.onclick = () => choose(n);
    return b;
  }));
}

function choose(n) {
  if (!looked || n >= looked.moves.length) return;
  target = target === n ? -1 : n;
  $('goal').value = target < 0 ? '' : looked.moves[n].goal;
  drawTargets();
  $('queue-targets').children[n].focus();
}

function queueAct(action) {
  const key = queued, i = key ? find(key) : -1;
  if (i < 0) return;
  if (action === 'edit') { openDecide(i, 'edit'); return; }
  const e = api.entries()[i], moves = words(e[api.BEFORE]) === words(e[api.AFTER]);
  let reason = $('queue-reason').value.trim();
  if (!reason) { notice(w('needsReason')); $('queue-reason').focus(); return; }
  const job = { key, action, reason, text: '' };
  if (action === 'accept' && moves) {
    job.action = 'move';
    job.text = $('goal').value;
    if (!job.text) { notice(w('pickTarget')); $('goal').focus(); return; }
  }
  if (action === 'refuse' && [w('why-accept'), w('why-move')].includes(reason)) job.reason = w('why-dismiss');
  typed.delete(key);
  nextQueued(key);
  decide(job);
  showQueue();
}

function nextQueued(key) {
  const all = suggestions(), at = all.indexOf(find(key));
  const after = [...all.slice(at + 1), ...all.slice(0, at)].find((i) => !skipped.has(keyOf(i)) && keyOf(i) !== key);
  queued = after === undefined ? null : keyOf(after);
  looked = null;
}

function skip() {
  if (!queued) return;
  skipped.add(queued);
  const all = suggestions(), at = all.indexOf(find(queued));
  const after = all[(at + 1) % all.length];
  if (all.every((i) => skipped.has(keyOf(i)))) skipped.clear();
  queued = keyOf(after);
  looked = null;
  showQueue();
}

// --- a rule, tried ------------------------------------------------------------------------------------------------
const SAMPLE = "- id: my-rule\n  fault: \n  match: ''\n  replace: ''\n  examples:\n  - ['', '']\n";
let trying = null, typing = 0;

function openTry() {
  if (!$('rule-text').value) $('rule-text').value = SAMPLE;
  $('rule-phase').replaceChildren(...room.phases.map((p) => new Option(w(`${p}-phase`), p, p === 'works', p === 'works')));
  $('trial').showModal();
  $('rule-text').focus();
  attempt();
}

async function attempt() {
  if (trying) trying.abort();
  const mine = trying = new AbortController();
  const text = $('rule-text').value;
  $('trial-fault').hidden = true;
  if (text === SAMPLE) return;
  try {
    const told = await ask('try', { text, phase: $('rule-phase').value }, mine.signal);
    if (mine !== trying) return;
    $('rule-faults').replaceChildren(...told.faults.map((f) => {
      const li = make('li'), b = make('button', '', `${f.line}:${f.column}`);
      b.type = 'button';
      b.onclick = () => {
        const lines = $('rule-text').value.split('\n'), at = lines.slice(0, f.line - 1).reduce((n, l) => n + l.length + 1, 0) + f.column - 1;
        $('rule-text').focus();
        $('rule-text').setSelectionRange(at, at);
      };
      li.append(b, ` ${f.code} ${f.message}`, f.fix ? make('small', '', ` ${f.fix}`) : '');
      return li;
    }));
    const count = told.works.reduce((n, one) => n + one.count, 0);
    $('rule-count').textContent = told.faults.length ? '' : [count === 1 ? w('hits1') : count ? w('hits').replace('{n}', count.toLocaleString()) : w('noHits'), ...told.held.map((h) => w('heldBack').replace('{why}', h))].join(' · ');
    $('rule-hits').replaceChildren(...told.works.flatMap((one) => one.hits.map((h) => {
      const li = make('li'), text = make('span', 'words');
      tell(text, h.left, h.before, h.after, h.right);
      li.append(make('small', '', `${told.works.length > 1 ? `${one.work} ` : ''}${h.line}:${h.column} `), text);
      return li;
    })));
  } catch (error) { if (error.name !== 'AbortError') trialFault(error.message); }
}

function trialFault(text) {
  $('trial-fault').textContent = text;
  $('trial-fault').hidden = false;
}

async function save(where) {
  $('trial-fault').hidden = true;
  try {
    const told = await ask('save', { text: $('rule-text').value, where, versions: room.versions });
    show(told.state);
    $('rule-text').value = '';
    $('trial').close();
    status(w('ruleSaved'));
  } catch (error) {
    if (error.status === 409) { try { show(await ask('state')); } catch { /* told below */ } trialFault(conflictWords(error.changed, 'conflictNow')); } else trialFault(error.message);
  }
}

// --- the files on the disk ------------------------------------------------------------------------------------------
async function watch() {
  if (busy || jobs.length || document.hidden) return;
  try {
    const now = await ask('versions');
    const changed = ['source', 'own', 'rules'].filter((name) => now[name] !== room.versions[name]);
    if (!changed.length || busy) return;
    busy = true;
    try { show(await ask('state')); notice(conflictWords(changed, 'reloaded')); } catch (error) { notice(`${conflictWords(changed, 'reloaded')}\n${error.message}`); }
    busy = false;
    pump();
  } catch (error) { if (!error.status || error.status === 403) notice(error.message); }
}

// --- what the page of the report calls --------------------------------------------------------------------------------
window.shanbenRoom = {
  acts(i, act) {
    const kind = kindOf(i);
    if (kind === 'suppressed') act('restore', () => restore(i));
    else if (kind === 'suggestion') { act('accept', () => accept(i)); act('dismiss', () => openDecide(i, 'refuse')); }
    else act('refuse', () => openDecide(i, 'refuse'));
    if (['substitute', 'supply', 'delete'].includes(kind)) act('edit', () => openDecide(i, 'edit'));
  },
  key(event) {
    const i = api.current(), open = !$('queue').hidden;
    const kind = i >= 0 ? kindOf(i) : '';
    const act = {
      z: undo, q: () => (open ? closeQueue() : openQueue()), t: openTry,
      x: () => { if (open) queueAct('refuse'); else if (i >= 0 && kind !== 'suppressed') openDecide(i, 'refuse'); else if (kind === 'suppressed') restore(i); },
      a: () => { if (open) queueAct('accept'); else if (i >= 0) accept(i); },
      e: () => { if (open) queueAct('edit'); else if (['substitute', 'supply', 'delete', 'suggestion'].includes(kind)) openDecide(i, 'edit'); },
      ...(open ? { s: skip, r: () => { $('queue-reason').focus(); $('queue-reason').select(); }, 1: () => choose(0), 2: () => choose(1), 3: () => choose(2) } : {}),
    }[event.key];
    if (!act) return false;
    act();
    return true;
  },
  spoke() { if (api) draw(); },
  isPending: (i) => pending.size > 0 && pending.has(keyOf(i)),
  begin(given) {
    api = given;
    ({ $, w, make } = api);
    room = api.data().room;
    $('decide-form').addEventListener('submit', submit);
    $('decide-close').onclick = () => $('decide').close();
    $('decide').addEventListener('close', () => { deciding = null; });
    $('keep-part').addEventListener('toggle', keep);
    $('keep-copy').onclick = () => navigator.clipboard && navigator.clipboard.writeText($('keep-diff').textContent);
    $('undo').onclick = undo;
    $('open-queue').onclick = () => ($('queue').hidden ? openQueue() : closeQueue());
    $('queue-close').onclick = closeQueue;
    $('queue-accept').onclick = () => queueAct('accept');
    $('queue-refuse').onclick = () => queueAct('refuse');
    $('queue-edit').onclick = () => queueAct('edit');
    $('queue-skip').onclick = skip;
    $('queue-reason').addEventListener('keydown', (event) => { if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); $('queue-accept').focus(); } });
    $('open-try').onclick = openTry;
    $('trial-close').onclick = () => $('trial').close();
    $('rule-text').addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(attempt, 400); });
    $('rule-phase').onchange = attempt;
    $('save-work').onclick = () => save('work');
    $('save-own').onclick = () => save('own');
    addEventListener('beforeunload', (event) => { if (jobs.length || busy) event.preventDefault(); });
    addEventListener('visibilitychange', watch);
    setInterval(watch, 4000);
    new ResizeObserver(() => {
      const height = `${$('desk').offsetHeight + 8}px`;
      document.documentElement.style.scrollPaddingBottom = height;
      document.body.style.paddingBottom = height;
    }).observe($('desk'));
    draw();
  },
};
})();
