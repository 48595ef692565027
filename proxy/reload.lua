-- Adds the script to a dev server's page that reloads it in the browser (pages/reload.js). It is added at the page's
-- very end, so nothing of the page is held back or read, and a page that is streamed for minutes has it when it ends.
local SCRIPT, REVISION = "/.uat/reload.js", "/.uat/revision"
local POLICIES = { "content-security-policy", "content-security-policy-report-only" }

local function directives_of(policy)
  local directives = {}
  for directive in policy:gmatch("[^;]+") do
    local name, sources = directive:match("^%s*(%S+)%s*(.-)%s*$")
    if name then table.insert(directives, { name = name:lower(), sources = sources }) end
  end
  return directives
end

-- Returns what decides: the first of `names` that there is, by its first mention.
local function deciding(directives, names)
  for _, name in ipairs(names) do
    for _, directive in ipairs(directives) do
      if directive.name == name then return directive end
    end
  end
end

-- Adds a source to the directive that decides. `default-src` isn't widened for all that it stands in for: the first of
-- `names` is added.
local function permit(directives, names, source)
  local decides = deciding(directives, names)
  if not decides then return end
  local sources = decides.sources:lower() == "'none'" and source or decides.sources .. " " .. source
  if decides.name == "default-src" then
    table.insert(directives, { name = names[1], sources = sources })
  else
    decides.sources = sources
  end
end

-- A policy that trusts nonces or hashes takes the script by the nonce, for it may ignore all addresses; in any other, a
-- nonce would be what turns 'unsafe-inline' off.
local function permitted(policy, origin, nonce)
  local directives = directives_of(policy)
  local names = { "script-src-elem", "script-src", "default-src" }
  local sources = (deciding(directives, names) or { sources = "" }).sources:lower()
  local by_nonce = sources:find("'nonce%-") or sources:find("'sha%d+%-") or sources:find("'strict%-dynamic'")
  permit(directives, names, by_nonce and ("'nonce-" .. nonce .. "'") or (origin .. SCRIPT))
  permit(directives, { "connect-src", "default-src" }, origin .. REVISION)
  for index, directive in ipairs(directives) do
    directives[index] = (directive.name .. " " .. directive.sources):match("^(.-) ?$")
  end
  return table.concat(directives, "; ")
end

local function permit_in(message, headers, origin, nonce)
  for _, name in ipairs(POLICIES) do
    if headers[name] then
      message:del_header(name)
      for index = 0, #headers[name] do
        local policies = {}
        for policy in headers[name][index]:gmatch("[^,]+") do
          table.insert(policies, permitted(policy, origin, nonce))
        end
        message:add_header(name, table.concat(policies, ", "))
      end
    end
  end
end

-- Only a whole page as a browser shows it, and as it is read: no file to keep, no part of one, nothing compressed.
local function is_page(message, headers)
  local function has(name, pattern) return headers[name] and headers[name][0]:lower():find(pattern) end
  return message:get_stline().code ~= 304
    and has("content-type", "^text/html%f[%s;%z]")
    and not headers["content-encoding"]
    and not headers["content-range"]
    and not has("content-disposition", "^%s*attachment")
end

local Reload = { id = "reload", flags = filter.FLT_CFG_FL_HTX }
Reload.__index = Reload

function Reload:new() return setmetatable({}, Reload) end

function Reload:start_analyze(txn, channel)
  if channel:is_resp() then filter.register_data_filter(self, channel) end
end

function Reload:http_headers(txn, message)
  if not message:is_resp() then return filter.CONTINUE end
  local headers = message:get_headers()
  if not is_page(message, headers) then
    filter.unregister_data_filter(self, message.channel)
    return filter.CONTINUE
  end
  local origin, nonce = txn:get_var("txn.scheme") .. "://" .. txn:get_var("txn.public_host"), txn.f:uuid()
  self.addition = ('<script async src="%s%s" data-revision="%s" nonce="%s"></script>'):format(
    origin, SCRIPT, txn:get_var("txn.revision"), nonce
  )
  local length = headers["content-length"]
  if length then message:set_header("content-length", tostring(math.tointeger(length[0]) + #self.addition)) end
  permit_in(message, headers, origin, nonce)
  return filter.CONTINUE
end

-- What has neither a length nor chunks ends with its connection. That nothing more can come also means that the buffer
-- is full, unless there is little in it.
local LITTLE = 8192 -- half of a buffer

local function has_ended(message)
  return message:eom() or not message.channel:may_recv() and message:input() + message:output() < LITTLE
end

-- The script is short enough for what HAProxy keeps free in each buffer. Should the headers have used that up, or should
-- it not be known whether this is the end, a byte is kept back until the rest is on its way.
function Reload:http_payload(txn, message)
  if not self.addition then return end
  if has_ended(message) and message:append(self.addition) ~= -1 then
    self.addition = nil
  elseif message:eom() or not message.channel:may_recv() then
    return math.max(0, message:input() - 1)
  end
end

core.register_filter("reload", Reload, function(class) return class end)
