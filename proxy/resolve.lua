-- What a request asks the control plane before it goes on. Lookups queue at lookups.sock (haproxy.cfg).
-- They go by HAProxy's own client: `show sess all`, by which routes are withdrawn, crashes on a core.tcp() socket.
local TIMEOUT_MS = 4000 -- above the 3 s the control plane allows itself for a look-up

local function ask(path, headers)
  return core.httpclient():get({
    url = "http://control" .. path,
    dst = "unix@lookups.sock",
    headers = headers,
    timeout = TIMEOUT_MS,
  })
end

-- A cookie the map of admissions does not know yet: until when does it let its holder pass?
-- Set: req.admitted_until if it does, req.unanswered if that could not be found out; txn.access_cookie and
-- txn.renewal_cookie if the visitor is to keep others from now on.
core.register_action("admit", { "http-req" }, function(txn)
  local cookies = { txn.sf:req_fhdr("cookie") }
  local answer = ask("/admissions/" .. txn:get_var("txn.session_id"), { cookie = cookies })
  if answer.status == 200 then
    txn:set_var("req.admitted_until", math.tointeger(answer.body))
    local cookies = answer.headers["set-cookie"] or {}
    if cookies[0] then txn:set_var("txn.access_cookie", cookies[0]) end
    if cookies[1] then txn:set_var("txn.renewal_cookie", cookies[1]) end
  elseif answer.status ~= 401 then
    txn:set_var("req.unanswered", true)
  end
end)

local ADDRESS = "^%d+%.%d+%.%d+%.%d+:%d+"

-- A session the map does not know yet: where is it?
-- No answer, and none but a route (session.py), leaves txn.route unset; the request then goes to the page that says why.
core.register_action("resolve", { "http-req" }, function(txn)
  local answer = ask("/routes/" .. txn:get_var("txn.session_id"))
  local route = answer.status == 200 and (
    answer.body:match(ADDRESS .. "$") or answer.body:match(ADDRESS .. ":public$")
    or answer.body:match(ADDRESS .. ":127%.0%.0%.1$")
  )
  if route then txn:set_var("txn.route", route) end
end)
