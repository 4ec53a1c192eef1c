-- Run by tools/pandoc.py as `pandoc lua`: converts one document after another, so that pandoc starts only once.
--
-- First it says "shanben", pandoc's version and that of its tree, on one line. A request is the line
-- "FORMAT SECTIONS TEMPLATE-BYTES TREE-BYTES", then the template and the tree; the answer the line
-- "done OUTPUT-BYTES WARNING-BYTES", then both, or "failed". At the end of its input it ends.

local compiled = {}

local function template(text)
  if not compiled[text] then
    compiled[text] = pandoc.template.compile(text)
  end
  return compiled[text]
end

local function convert(format, sections, text, tree)
  local options = { wrap_text = 'wrap-none', section_divs = sections == 'sections' }
  if text ~= '' then
    options.template = template(text)
  end
  local document = pandoc.read(tree, 'json')
  local output
  local warnings = pandoc.log.silence(function()
    output = pandoc.write(document, format, pandoc.WriterOptions(options))
  end)
  local said = {}
  for _, warning in ipairs(warnings) do
    local message = pandoc.json.decode(pandoc.json.encode(warning), false)
    said[#said + 1] = '[' .. message.verbosity .. '] ' .. message.pretty
  end
  return output, table.concat(said, '\n')
end

assert(pandoc.log.silence and pandoc.template.compile and pandoc.json.encode)
io.stdout:write('shanben ', tostring(PANDOC_VERSION), ' ', tostring(PANDOC_API_VERSION), '\n')
io.stdout:flush()
for line in io.lines() do
  local format, sections, size, length = line:match('^(%S+) (%S+) (%d+) (%d+)$')
  local text = size == '0' and '' or io.read(tonumber(size))
  local tree = io.read(tonumber(length))
  local fine, output, warnings = pcall(convert, format, sections, text, tree)
  if fine then
    io.stdout:write('done ', #output, ' ', #warnings, '\n', output, warnings)
  else
    io.stdout:write('failed\n')
  end
  io.stdout:flush()
end
