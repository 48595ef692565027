-- A session the map does not know yet: ask the control plane, and let the request wait for its word.
-- An empty answer, or none within the time, leaves txn.route unset; the request then goes to the page that says why.
local TIMEOUT_SECONDS = 4 -- above the 3 s the control plane allows itself for a look-up

core.register_action("resolve", { "http-req" }, function(txn)
  local control = core.tcp()
  control:settimeout(TIMEOUT_SECONDS)
  if not control:connect("unix@control.sock") then return end
  control:send("GET /routes/" .. txn:get_var("txn.session_id") .. " HTTP/1.0\r\n\r\n")
  local response = control:receive("*a") or ""
  control:close()
  local route = response:match("^HTTP/1%.[01] 200 .*\r\n\r\n([0-9.]+:[0-9]+)$")
  if route then txn:set_var("txn.route", route) end
end)
