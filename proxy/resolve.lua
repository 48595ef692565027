-- A session the map does not know yet: ask the control plane, and let the request wait for its word.
-- An empty answer, or none within the time, leaves txn.route unset; the request then goes to the page that says why.
-- By HAProxy's own client, not by core.tcp(): HAProxy 2.8 crashes when it lists its streams (`show sess all`) while
-- one of them is a script's socket.
local TIMEOUT_MS = 4000 -- above the 3 s the control plane allows itself for a look-up

core.register_action("resolve", { "http-req" }, function(txn)
  local answer = core.httpclient():get({
    url = "http://control/routes/" .. txn:get_var("txn.session_id"),
    dst = "unix@control.sock",
    timeout = TIMEOUT_MS,
  })
  if not answer or answer.status ~= 200 then return end
  local route = answer.body:match("^[0-9.]+:[0-9]+$")
  if route then txn:set_var("txn.route", route) end
end)
