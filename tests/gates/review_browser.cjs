// node review_browser.cjs PLAYWRIGHT CHROMIUM AXE PICTURES URL WORKS: a reader works through a review; what was seen, as JSON.
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const [library, executablePath, axePath, pictures, url, works] = process.argv.slice(2);
const { chromium } = require(library);
const axe = fs.readFileSync(axePath, 'utf8');
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const own = (work) => { try { return fs.readFileSync(path.join(works, work, 'rules', 'works', `${work}.yaml`), 'utf8'); } catch { return null; } };
const told = { views: [] };

(async () => {
  const browser = await chromium.launch({ executablePath, args });
  const messages = [], foreign = [];
  let attacked = false;
  const origin = new URL(url).origin;

  async function context(options = {}) {
    const made = await browser.newContext({ viewport: { width: 1280, height: 850 }, locale: 'zh-CN', ...options });
    made.on('page', (page) => {
      page.on('console', (message) => { if (!attacked && page.url().startsWith(origin) && !/status of 409|ERR_CONNECTION_REFUSED|ERR_INTERNET|status of 422/.test(message.text())) messages.push(message.text()); });
      page.on('pageerror', (error) => messages.push(String(error.stack)));
      page.on('request', (request) => { if (!attacked && page.url().startsWith(origin) && !request.url().startsWith(origin)) foreign.push(request.url()); });
    });
    const page = await made.newPage();
    await page.goto(url);
    await page.close();
    return made;
  }
  async function open(made, work) {
    const page = await made.newPage();
    await page.goto(`${origin}/text/${work}`);
    await page.waitForFunction(() => document.documentElement.dataset.ready);
    return page;
  }
  const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 80)))));
  const clean = (page) => page.evaluate(() => [...document.querySelectorAll('.chunk .cell.c')].map((c) => c.textContent).join('\n'));
  const saved = (page, word) => page.waitForFunction((said) => document.getElementById('saved').textContent.includes(said), word, { timeout: 60000 });
  const judged = async (page) => {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document));
    return found.violations.map((v) => `${v.id} ×${v.nodes.length}: ${v.nodes[0].html.slice(0, 160)}`);
  };

  // Every part of the room, in both themes and at all widths.
  const parts = {
    list: async () => {},
    card: async (page) => { await page.keyboard.press('j'); await page.waitForFunction(() => !document.getElementById('card').hidden); },
    refuse: async (page) => { await page.keyboard.press('j'); await page.keyboard.press('x'); await page.click('#keep-part summary'); await page.waitForFunction(() => document.getElementById('keep-diff').textContent); },
    edit: async (page) => { await page.keyboard.press('j'); await page.keyboard.press('e'); await page.waitForFunction(() => document.getElementById('text-new').value); },
    queue: async (page) => { await page.keyboard.press('q'); await settled(page); },
    trial: async (page) => { await page.keyboard.press('t'); await page.fill('#rule-text', '- id: a\n  falt: x\n'); await page.waitForFunction(() => document.querySelector('#rule-faults li')); },
    help: async (page) => { await page.keyboard.press('?'); },
  };
  for (const [width, colorScheme, locale] of [[1280, 'light', 'zh-CN'], [1280, 'dark', 'en-US'], [390, 'dark', 'zh-CN'], [320, 'light', 'en-GB']]) {
    const made = await context({ viewport: { width, height: 850 }, colorScheme, locale });
    for (const [name, act] of Object.entries(parts)) {
      const page = name === 'list' ? await made.newPage() : await open(made, 1);
      if (name === 'list') await page.goto(`${origin}/`);
      await act(page);
      await settled(page);
      const look = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, paper: getComputedStyle(document.documentElement).backgroundColor, ink: getComputedStyle(document.documentElement).color }));
      await page.screenshot({ path: path.join(pictures, `review-${name}-${width}-${colorScheme}.png`) });
      told.views.push({ name: `${name} ${width} ${colorScheme} ${locale}`, width, colorScheme, axe: await judged(page), ...look });
      await page.close();
    }
    await made.close();
  }

  // Open, filter, jump, refuse, see the edition without it, take it back.
  const made = await context();
  const page = await open(made, 1);
  const refused = {};
  await page.locator('#rules li', { hasText: 'han-comma' }).locator('button').click();
  refused.filtered = await page.evaluate(() => document.getElementById('count').textContent.split('/').pop().trim());
  await page.fill('#find', ':13');
  await page.keyboard.press('Enter');
  await settled(page);
  refused.jumped = await page.evaluate(() => document.querySelector('.row.now .no').firstChild.textContent);
  await page.locator('.chunk .c .m.substitute').first().click();
  await page.locator('#card .acts button', { hasText: '不取' }).click();
  refused.reason = await page.inputValue('#reason');
  await page.fill('#reason', '引文如此');
  await page.click('#decide button[type=submit]');
  await saved(page, '已写入');
  refused.clean = await clean(page);
  refused.own = own('a') || '';
  refused.decided = await page.locator('#decided-list li').count();
  refused.suppressed = await page.locator('.chunk .m.suppressed').count();
  const [edition] = await Promise.all([made.waitForEvent('page'), page.click('#edition')]);
  await edition.waitForLoadState();
  refused.edition = await edition.locator('body').innerText();
  await edition.screenshot({ path: path.join(pictures, 'review-edition.png') });
  await edition.close();
  await page.click('#undo');
  await saved(page, '已撤回');
  refused.afterUndo = own('a');
  refused.cleanAfterUndo = await clean(page);
  told.refused = refused;
  await page.close();

  // All of it by keyboard.
  const keys = await open(made, 1);
  const k = {};
  const queue = () => keys.evaluate(() => [document.getElementById('queue-count').textContent, document.getElementById('queue-rule').textContent]);
  await keys.keyboard.press('q');
  await settled(keys);
  k.queue = await queue();
  await keys.keyboard.press('s');
  await settled(keys);
  await keys.keyboard.press('r');
  await keys.keyboard.type('“自己”才通');
  await keys.keyboard.press('Escape');
  await keys.keyboard.press('a');
  await saved(keys, '已写入');
  await settled(keys);
  k.afterAccept = await queue();
  await keys.keyboard.press('x');
  await saved(keys, '没有待定');
  await keys.waitForFunction(() => document.querySelectorAll('#decided-list li').length === 2);
  k.own = own('a') || '';
  k.clean = await clean(keys);
  k.left = await keys.locator('.chunk .m.suggestion').count();
  for (let i = 0; i < 20; i++) {
    await keys.keyboard.press('j');
    if (await keys.evaluate(() => document.activeElement.closest('.row')?.querySelector('.no').textContent.startsWith('7'))) break;
  }
  await keys.keyboard.press('e');
  await keys.waitForFunction(() => document.getElementById('text-new').value === '，');
  await keys.keyboard.type('；');
  await keys.keyboard.press('Tab');
  await keys.keyboard.press('Enter');
  await saved(keys, '已写入');
  k.edited = await clean(keys);
  await keys.keyboard.press('?');
  k.help = await keys.evaluate(() => document.getElementById('help').open && document.getElementById('help').innerText.includes('不取此改动'));
  await keys.keyboard.press('Escape');
  for (let i = 3; i > 0; i--) {
    const before = await keys.locator('#decided-list li').count();
    await keys.keyboard.press('z');
    await keys.waitForFunction((n) => document.querySelectorAll('#decided-list li').length < n, before, { timeout: 60000 });
  }
  k.undone = own('a');
  for (let i = 0; i < 12; i++) await keys.keyboard.press('Tab');
  k.focusKept = await keys.evaluate(() => { const s = getComputedStyle(document.activeElement); return document.activeElement !== document.body && s.outlineStyle !== 'none'; });
  told.keys = k;
  await keys.close();

  // Two windows; a source that changes; a server that is gone.
  const w = {};
  const one = await open(made, 2), two = await open(made, 2);
  await one.evaluate(() => { window.setInterval = null; });
  await one.keyboard.press('j');
  await two.keyboard.press('j');
  await two.keyboard.press('j');
  await two.keyboard.press('x');
  await two.fill('#reason', '第二个窗口的理由');
  await one.bringToFront();
  await one.keyboard.press('x');
  await one.keyboard.press('Enter');
  await saved(one, '已写入');
  await two.bringToFront();
  await two.evaluate(() => document.querySelector('#decide button[type=submit]').click());
  await two.waitForFunction(() => !document.getElementById('notice').hidden, null, { timeout: 60000 });
  w.notice = await two.innerText('#notice');
  if (!(await two.evaluate(() => document.getElementById('decide').open))) {
    // The page had seen the other window's change before the button was pressed: then it is written at once.
    await saved(two, '已写入');
    w.typedAgain = (own('b') || '').includes('第二个窗口的理由') ? '第二个窗口的理由' : '';
  } else {
    w.typedAgain = await two.inputValue('#reason');
    await two.click('#decide button[type=submit]');
    await saved(two, '已写入');
  }
  w.bothWritten = (own('b').match(/rule: han-comma/g) || []).length;
  const source = path.join(works, 'b', 'source.txt');
  fs.appendFileSync(source, '\n又添一段,在末尾。\n');
  await two.waitForFunction(() => document.getElementById('notice').textContent.includes('来源文件'), null, { timeout: 60000 });
  w.source = await two.innerText('#notice');
  w.sourceShown = await clean(two);
  await two.keyboard.press('j');
  await two.keyboard.press('j');
  await two.keyboard.press('j');
  await two.keyboard.press('x');
  await two.fill('#reason', '断线时写的');
  await made.setOffline(true);
  await two.click('#decide button[type=submit]');
  await two.waitForFunction(() => document.getElementById('notice').textContent.includes('没有应答'), null, { timeout: 60000 });
  w.offline = await two.innerText('#notice');
  w.offlineTyped = await two.inputValue('#reason');
  await made.setOffline(false);
  told.windows = w;
  await one.close();
  await two.close({ runBeforeUnload: false });

  // A rule, tried and saved.
  const t = {};
  const trial = await open(made, 1);
  await trial.keyboard.press('t');
  await trial.fill('#rule-text', "- id: seasons\n  falt: x\n  match: '天。'\n  replace: '。'\n  examples:\n  - ['春天。', '春。']\n");
  await trial.waitForFunction(() => document.querySelector('#rule-faults li'));
  t.faults = await trial.locator('#rule-faults li').allInnerTexts();
  await trial.fill('#rule-text', "- id: seasons\n  fault: x\n  match: '(?<=[春夏])天。'\n  replace: '。'\n  examples:\n  - ['是春天。', '是春。']\n");
  await trial.waitForFunction(() => document.getElementById('rule-count').textContent.includes('处'));
  t.hits = await trial.locator('#rule-hits li').filter({ hasText: /^(?!.*b )/ }).count();
  t.count = await trial.innerText('#rule-count');
  await trial.click('#save-work');
  await trial.waitForFunction(() => !document.getElementById('trial').open, null, { timeout: 60000 });
  t.saved = await clean(trial);
  await trial.keyboard.press('z');
  await trial.waitForFunction(() => !document.querySelectorAll('#decided-list li').length, null, { timeout: 60000 });
  told.trial = t;
  await trial.close();

  // Twenty thousand changes.
  const big = await made.newPage();
  await big.goto(`${origin}/text/3`, { timeout: 180000 });
  await big.waitForFunction(() => document.documentElement.dataset.ready, null, { timeout: 60000 });
  const l = { changes: Number((await big.innerText('.numbers li:first-child b')).replace(/,/g, '')) };
  await big.keyboard.press('j');
  await big.keyboard.press('x');
  await big.waitForFunction(() => document.getElementById('decide').open);
  const began = Date.now();
  await big.keyboard.press('Enter');
  await big.waitForFunction(() => document.querySelector('.m.pending'));
  l.marked = Date.now() - began;
  await big.keyboard.press('j');
  await big.waitForFunction(() => /^[23] /.test(document.getElementById('count').textContent));
  l.toNext = Date.now() - began;
  await saved(big, '已写入');
  l.took = Date.now() - began;
  l.written = await big.locator('#decided-list li').count() === 1;
  l.own = fs.readFileSync(path.join(works, 'rules', 'works', 'large.yaml'), 'utf8');
  told.large = l;
  l.sent = 0;
  // What is decided while something is written waits, and goes together.
  big.on('request', (asked) => { if (asked.method() === 'POST' && new URL(asked.url()).pathname.endsWith('/decide')) l.sent += 1; });
  for (let i = 0; i < 4; i++) {
    await big.keyboard.press('x');
    await big.waitForFunction(() => document.getElementById('decide').open);
    await big.keyboard.press('Enter');
  }
  await big.waitForFunction(() => document.querySelectorAll('#decided-list li').length === 5, null, { timeout: 120000 })
    .catch(async () => { throw new Error(`${await big.locator('#decided-list li').count()} decided; ${await big.innerText('#saved')}; ${await big.locator('#notice').textContent()}`); });
  l.sentForFour = l.sent;
  await big.keyboard.press('z');
  await big.waitForFunction(() => document.querySelectorAll('#decided-list li').length === 4, null, { timeout: 120000 });
  l.oneBack = true;
  await big.close();

  // A page of another origin on this machine, in the browser that has the cookie: it tries what it can.
  const evil = http.createServer((request, answer) => { answer.setHeader('content-type', 'text/html'); answer.end('<!DOCTYPE html><title>evil</title><p>hello'); });
  await new Promise((done) => evil.listen(0, '127.0.0.1', done));
  attacked = true;
  const bad = await made.newPage();
  await bad.goto(`http://127.0.0.1:${evil.address().port}/`);
  told.attack = await bad.evaluate(async (target) => {
    const tried = {};
    const attempt = async (name, act) => { try { tried[name] = await act(); } catch (error) { tried[name] = `no: ${error.name}`; } };
    await attempt('read', async () => (await fetch(`${target}/text/1/state`, { credentials: 'include' })).status);
    await attempt('write', async () => (await fetch(`${target}/text/1/undo`, { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: '{}' })).status);
    await attempt('blind', async () => (await fetch(`${target}/text/1/undo`, { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'content-type': 'text/plain' }, body: '{"versions":{}}' })).type);
    await attempt('picture', () => new Promise((done) => { const i = new Image(); i.onload = () => done('shown'); i.onerror = () => done('no'); i.src = `${target}/text/1`; }));
    await attempt('script', () => new Promise((done) => { const s = document.createElement('script'); s.onload = () => done('run'); s.onerror = () => done('no'); s.src = `${target}/text/1/state`; document.body.append(s); }));
    await attempt('frame', () => new Promise((done) => { const f = document.createElement('iframe'); f.onload = () => { try { done(f.contentDocument ? f.contentDocument.body.textContent.slice(0, 20) : 'sealed'); } catch { done('sealed'); } }; f.src = `${target}/text/1`; document.body.append(f); setTimeout(() => done('never'), 3000); }));
    return tried;
  }, origin);
  const [popup] = await Promise.all([made.waitForEvent('page'), bad.evaluate((target) => { const f = document.createElement('form'); f.method = 'post'; f.enctype = 'text/plain'; f.action = `${target}/text/1/undo`; f.target = '_blank'; document.body.append(f); f.submit(); }, origin)]);
  await popup.waitForLoadState();
  told.attack.form = await popup.locator('body').innerText();
  evil.close();

  await browser.close();
  process.stdout.write(JSON.stringify({ ...told, messages, foreign }));
})().catch((error) => { console.error(error); process.exit(1); });
