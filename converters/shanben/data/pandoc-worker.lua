-- Run by tools/pandoc.py as `pandoc lua`: converts one document after another, so that pandoc starts only once.
--
-- First it says "shanben", pandoc's version and that of its tree, on one line. A request is the line
-- "FORMAT SECTIONS TREE-BYTES" (SECTIONS is "sections" or "plain") and the tree; the answer the line
-- "done OUTPUT-BYTES WARNING-BYTES" and both, or "failed". At the end of its input it ends. Two warnings come with each
-- document, since it is in no language that pandoc knows, and are left out here.

local function convert(format, sections, tree)
  local options = pandoc.WriterOptions { wrap_text = 'wrap-none', section_divs = sections == 'sections' }
  local document = pandoc.read(tree, 'json')
  local output
  local warnings = pandoc.log.silence(function()
    output = pandoc.write(document, format, options)
  end)
  local said = {}
  for _, warning in ipairs(warnings) do
    local encoded = pandoc.json.encode(warning)
    if not (encoded:find('"type":"NoTranslation"', 1, true) or encoded:find('"type":"CouldNotLoadTranslations"', 1, true)) then
      local message = pandoc.json.decode(encoded, false)
      if message.verbosity ~= 'INFO' then
        said[#said + 1] = '[' .. message.verbosity .. '] ' .. message.pretty
      end
    end
  end
  return output, table.concat(said, '\n')
end

assert(pandoc.log.silence and pandoc.json.encode)
io.stdout:write('shanben ', tostring(PANDOC_VERSION), ' ', tostring(PANDOC_API_VERSION), '\n')
io.stdout:flush()
for line in io.lines() do
  local format, sections, length = line:match('^(%S+) (%S+) (%d+)$')
  local fine, output, warnings = pcall(convert, format, sections, io.read(tonumber(length)))
  if fine then
    io.stdout:write('done ', #output, ' ', #warnings, '\n', output, warnings)
  else
    io.stdout:write('failed\n')
  end
  io.stdout:flush()
end
