-- Cookies in the rare forms that rules on whole headers cannot handle.

-- Cookie headers are joined into one, as every server reads them.
core.register_action("join_cookies", { "http-req" }, function(txn)
  local headers = txn.http:req_get_headers()["cookie"]
  txn.http:req_set_header("cookie", table.concat(headers, "; ", 0))
end)

local function attribute_without_domain(attribute)
  local name = attribute:match("^;%s*([^=]-)%s*=") or attribute:match("^;%s*(.-)%s*$")
  if name:lower() == "domain" then return "" end
end

-- A dev server sets cookies for its own host alone, and none that the proxy takes for its own.
-- (A browser that accepts nameless cookies would send "=__Host-uat-access=x" as if that were its name.)
core.register_action("isolate_cookies", { "http-res" }, function(txn)
  local cookies = txn.http:res_get_headers()["set-cookie"]
  txn.http:res_del_header("set-cookie")
  for i = 0, #cookies do
    if not cookies[i]:match("^[%s=]*__Host%-uat%-") then
      txn.http:res_add_header("set-cookie", (cookies[i]:gsub(";[^;]*", attribute_without_domain)))
    end
  end
end)
