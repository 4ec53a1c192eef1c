// node report_browser.cjs PLAYWRIGHT CHROMIUM AXE PICTURES PAGE HOSTILE LARGE INDEX: what a reader can do with a report, as JSON.
const { pathToFileURL } = require('node:url');
const fs = require('node:fs');
const path = require('node:path');
const [library, executablePath, axePath, pictures, report, hostile, large, index] = process.argv.slice(2);
const { chromium } = require(library);
const axe = fs.readFileSync(axePath, 'utf8');
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--enable-precise-memory-info'];
const told = {};

(async () => {
  const browser = await chromium.launch({ executablePath, args });
  const messages = [], requests = [];

  async function open(file, options = {}) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'zh-CN', ...options });
    const url = pathToFileURL(path.resolve(file)).href;
    page.on('console', (message) => messages.push(`${path.basename(file)}: ${message.text()}`));
    page.on('pageerror', (error) => messages.push(`${path.basename(file)}: ${error}`));
    page.on('dialog', (dialog) => { messages.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
    page.on('request', (request) => { if (request.url().split('#')[0] !== url) requests.push(request.url()); });
    await page.goto(url);
    if (options.javaScriptEnabled !== false && file !== index) await page.waitForFunction(() => document.documentElement.dataset.ready);
    return page;
  }
  const judged = async (page) => {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document));
    return found.violations.map((v) => `${v.id} ×${v.nodes.length}: ${v.nodes[0].html.slice(0, 160)}`);
  };
  const at = (page) => page.evaluate(() => {
    const el = document.activeElement;
    return { entries: el.dataset.e || '', kinds: el.className, label: el.getAttribute('aria-label') || '', side: el.closest('.s') ? 's' : el.closest('.c') ? 'c' : '', count: document.getElementById('count').textContent };
  });
  const sides = (page) => page.evaluate(() => ['s', 'c'].map((side) => [...document.querySelectorAll(`.chunk .cell.${side}`)].map((c) => c.textContent)));
  const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60)))));

  // Open, and look, in both themes and at both widths.
  told.views = [];
  for (const [width, colorScheme, locale] of [[1280, 'light', 'zh-CN'], [1280, 'dark', 'en-US'], [320, 'light', 'en-GB'], [320, 'dark', 'zh-CN'], [768, 'light', 'fr-FR']]) {
    for (const file of [report, hostile, index]) {
      const page = await open(file, { viewport: { width, height: 800 }, colorScheme, locale });
      const name = path.basename(file, '.html');
      if (file !== index) for (let i = 0; i < 3; i++) await page.keyboard.press('j');
      await settled(page);
      const seen = await page.evaluate(() => ({
        scroll: document.documentElement.scrollWidth, language: document.documentElement.lang,
        paper: getComputedStyle(document.documentElement).backgroundColor, ink: getComputedStyle(document.documentElement).color,
      }));
      await page.screenshot({ path: path.join(pictures, `report-${name}-${width}-${colorScheme}.png`) });
      told.views.push({ name, width, colorScheme, locale, axe: await judged(page), ...seen });
      await page.close();
    }
  }

  const page = await open(report);
  told.sides = await sides(page);

  // From change to change, by key and by button.
  await page.keyboard.press('j');
  told.first = await at(page);
  told.card = await page.evaluate(() => document.getElementById('card').innerText);
  await page.keyboard.press('n');
  told.second = await at(page);
  await page.keyboard.press('k');
  told.back = await at(page);
  await page.click('#next');
  told.byButton = await at(page);
  told.hash = await page.evaluate(() => location.hash);
  await page.keyboard.press('Escape');
  told.closed = await page.evaluate(() => document.getElementById('card').hidden);
  await page.mouse.move(5, 5);
  await page.locator('.chunk .m.substitute').first().hover();
  await page.waitForFunction(() => !document.getElementById('card').hidden);
  told.hovered = await page.evaluate(() => document.getElementById('card').innerText);

  // What is shown: kind, rule, phase; only what was changed.
  const shown = () => page.evaluate(() => document.getElementById('count').textContent.split('/').pop().trim());
  told.all = await shown();
  await page.click('#kinds .substitute');
  told.withoutSubstitutes = [await shown(), await page.locator('.chunk .m.substitute').count()];
  await page.click('#kinds .substitute');
  await page.locator('#rules button').first().click();
  told.onlyOneRule = await shown();
  await page.click('#all');
  await page.locator('#phases button').first().click();
  told.withoutOnePhase = await shown();
  await page.locator('#phases button').first().click();
  const rowsNow = () => page.locator('.chunk .row').count();
  told.rows = [await rowsNow()];
  await page.keyboard.press('u');
  await settled(page);
  told.rows.push(await rowsNow());
  told.gap = await page.locator('.gap button').first().innerText();
  await page.locator('.gap button').first().click();
  await settled(page);
  told.rows.push(await rowsNow());
  await page.click('#fold');

  // Search, a line by number, the other place of a move, the two languages, help.
  await page.keyboard.press('/');
  await page.keyboard.type('苹果');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.getElementById('hits').textContent);
  told.hits = await page.evaluate(() => [document.getElementById('hits').textContent, document.querySelector('.row.now').textContent.includes('苹果'),
    [...CSS.highlights.get('found-now')].map(String)[0]]);
  await page.keyboard.press('Enter');
  told.nextHit = await page.evaluate(() => document.getElementById('hits').textContent);
  await page.fill('#find', '没有这样的话');
  await page.waitForTimeout(300);
  told.noHit = await page.evaluate(() => document.getElementById('hits').textContent);
  await page.fill('#find', ':21');
  await page.keyboard.press('Enter');
  await settled(page);
  told.line = await page.evaluate(() => document.querySelector('.row.now .no').firstChild.textContent);
  await page.keyboard.press('Escape');
  told.afterSearch = await page.evaluate(() => document.activeElement.id);
  await page.click('#moved summary');
  await page.locator('#moves-list button').first().click();
  told.moved = await at(page);
  await page.keyboard.press('m');
  told.movedTo = await at(page);
  told.drawn = await page.locator('#moved svg .thread').count();
  await page.keyboard.press('l');
  told.english = await page.evaluate(() => [document.documentElement.lang, document.getElementById('next').innerText, document.querySelector('#rules small').textContent]);
  await page.keyboard.press('?');
  told.help = await page.evaluate(() => document.getElementById('help').open);
  told.axeHelp = await judged(page);
  await page.uncheck('#keys');
  await page.keyboard.press('Escape');
  const before = await page.evaluate(() => document.getElementById('count').textContent);
  await page.keyboard.press('j');
  told.keysOff = before === await page.evaluate(() => document.getElementById('count').textContent);
  await page.close();

  // By keyboard alone: every stop is seen, none holds the focus.
  const keys = await open(report);
  told.stops = [];
  for (let i = 0; i < 14; i++) {
    await keys.keyboard.press('Tab');
    told.stops.push(await keys.evaluate(() => {
      const el = document.activeElement, style = getComputedStyle(el);
      return { name: el.id || el.getAttribute('href') || el.tagName, outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
    }));
  }
  await keys.keyboard.press('j');
  await keys.keyboard.press('Enter');
  told.inCard = await keys.evaluate(() => !!document.activeElement.closest('#card'));
  await keys.keyboard.press('Escape');
  told.outOfCard = await keys.evaluate(() => document.activeElement.classList.contains('m'));
  const printed = await keys.pdf({ path: path.join(pictures, 'report.pdf') });
  told.printed = printed.length;
  await settled(keys);
  told.afterPrint = (await sides(keys))[0].length > 0;
  await keys.evaluate(() => dispatchEvent(new Event('beforeprint')));
  await keys.emulateMedia({ media: 'print' });
  told.printRows = [await keys.locator('.chunk .row').count(), await keys.locator('.bar').isVisible(), await keys.locator('#filters').isVisible()];
  await keys.close();

  // Without a script.
  const plain = await open(report, { javaScriptEnabled: false, viewport: { width: 320, height: 800 } });
  told.plain = { text: await plain.locator('main').innerText(), items: await plain.locator('.list li').count(),
    buttons: await plain.locator('button:visible').count(), chart: await plain.locator('#along').isVisible() };
  await plain.screenshot({ path: path.join(pictures, 'report-plain.png') });
  await plain.close();

  // What is hostile stays text.
  const bad = await open(hostile);
  told.hostile = { sides: await sides(bad), scripts: await bad.locator('script').count(), images: await bad.locator('img, iframe, object, b.evil').count(),
    evil: await bad.evaluate(() => String(window.evil)), title: await bad.title(), codes: await bad.evaluate(() => [...document.querySelectorAll('.g.cp')].map((g) => g.dataset.g)) };
  await bad.close();

  // Twenty thousand changes.
  const begun = Date.now();
  const big = await open(large);
  const timed = async (act) => { const start = Date.now(); await act(); await settled(big); return Date.now() - start; };
  told.large = { load: Date.now() - begun, step: await timed(() => big.keyboard.press('j')),
    jump: await timed(async () => { await big.fill('#find', ':30001'); await big.keyboard.press('Enter'); }) };
  told.large.line = await big.evaluate(() => document.querySelector('.row.now .no').textContent);
  told.large.fold = await timed(() => big.click('#fold'));
  told.large.search = await timed(async () => { await big.fill('#find', '段落39999'); await big.keyboard.press('Enter'); });
  told.large.found = await big.evaluate(() => document.querySelector('.row.now').textContent.includes('段落39999'));
  told.large.nodes = await big.evaluate(() => document.querySelectorAll('*').length);
  told.large.count = await big.evaluate(() => document.getElementById('count').textContent);
  told.large.heap = await big.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 1e6));
  await big.close();

  await browser.close();
  process.stdout.write(JSON.stringify({ ...told, messages, requests }));
})().catch((error) => { console.error(error); process.exit(1); });
