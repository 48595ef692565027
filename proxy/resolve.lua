-- What a request waits for the control plane's word on. Its questions queue at questions.sock (haproxy.cfg).
-- They go by HAProxy's own client: `show sess all`, by which routes are withdrawn, crashes on a core.tcp() socket.
local TIMEOUT_MS = 4000 -- above the 3 s the control plane allows itself for a look-up

local function ask(question, headers)
  local answer = core.httpclient():get({
    url = "http://control" .. question,
    dst = "unix@questions.sock",
    headers = headers,
    timeout = TIMEOUT_MS,
  })
  return answer.status == 200 and answer.body or ""
end

-- A cookie the map of admissions does not know yet: until when does it let its holder pass?
-- No answer leaves txn.admitted_until as it is; the request is then turned away.
core.register_action("admit", { "http-req" }, function(txn)
  local cookie = txn.sf:req_fhdr("cookie")
  local until_when = ask("/admissions/" .. txn:get_var("txn.session_id"), { cookie = { cookie } }):match("^%d+$")
  if until_when then txn:set_var("txn.admitted_until", math.tointeger(until_when)) end
end)

-- A session the map does not know yet: where is it?
-- No answer leaves txn.route unset; the request then goes to the page that says why.
core.register_action("resolve", { "http-req" }, function(txn)
  local route = ask("/routes/" .. txn:get_var("txn.session_id")):match("^[0-9.]+:[0-9]+$")
  if route then txn:set_var("txn.route", route) end
end)
