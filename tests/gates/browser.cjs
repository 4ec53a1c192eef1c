// node browser.cjs PLAYWRIGHT CHROMIUM PICTURES PAGE…: what a browser makes of each page, as JSON.
const { pathToFileURL } = require('node:url');
const path = require('node:path');
const [library, executablePath, pictures, ...files] = process.argv.slice(2);
const { chromium } = require(library);

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const views = [['wide', 1280, 'light'], ['wide', 1280, 'dark'], ['phone', 320, 'light'], ['phone', 320, 'dark']];

(async () => {
  const browser = await chromium.launch({ executablePath, args });
  const seen = [];
  for (const file of files) {
    const url = pathToFileURL(path.resolve(file)).href;
    for (const [name, width, colorScheme] of views) {
      const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
      const messages = [];
      const requests = [];
      page.on('console', (message) => messages.push(message.text()));
      page.on('pageerror', (error) => messages.push(String(error)));
      page.on('request', (request) => { if (request.url() !== url) requests.push(request.url()); });
      await page.goto(url);
      const found = await page.evaluate(() => {
        const style = getComputedStyle(document.documentElement);
        const p = document.querySelector('main p:not(:is(div) > p)') || document.querySelector('main p');
        return {
          scroll: document.documentElement.scrollWidth,
          ink: style.color,
          paper: style.backgroundColor,
          indent: p && parseFloat(getComputedStyle(p).textIndent) / parseFloat(getComputedStyle(p).fontSize),
          leading: parseFloat(style.lineHeight) / parseFloat(style.fontSize),
        };
      });
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => document.activeElement.getAttribute('href'));
      const stem = path.join(pictures, `${path.basename(file, '.html')}-${name}-${colorScheme}`);
      await page.screenshot({ path: `${stem}.png` });
      let printed = 0;
      if (name === 'wide' && colorScheme === 'light') {
        printed = (await page.pdf({ path: `${stem}.pdf`, preferCSSPageSize: true })).length;
      }
      seen.push({ file, name, width, colorScheme, messages, requests, focused, printed, ...found });
      await page.close();
    }
  }
  await browser.close();
  process.stdout.write(JSON.stringify(seen));
})().catch((error) => { console.error(error); process.exit(1); });
