-- Run by tools/pandoc.py as `pandoc lua`: converts one document after another, so that pandoc starts only once.
--
-- First it says "shanben", pandoc's version and that of its tree, on one line. A request is the line
-- "FORMAT SECTIONS TREE-BYTES" (SECTIONS is "sections" or "plain") and the tree; the answer the line
-- "done OUTPUT-BYTES WARNING-BYTES" and both, or "failed". At the end of its input it ends.

local function convert(format, sections, tree)
  local options = pandoc.WriterOptions { wrap_text = 'wrap-none', section_divs = sections == 'sections' }
  local document = pandoc.read(tree, 'json')
  local output
  local warnings = pandoc.log.silence(function()
    output = pandoc.write(document, format, options)
  end)
  local said = {}
  for _, warning in ipairs(warnings) do
    local message = pandoc.json.decode(pandoc.json.encode(warning), false)
    if message.verbosity ~= 'INFO' then
      said[#said + 1] = '[' .. message.verbosity .. '] ' .. message.pretty
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
