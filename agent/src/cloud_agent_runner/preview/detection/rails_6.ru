# What `rails server` runs in place of an application's config.ru, with Rails 6: it checks X-Forwarded-Host, as later
# ones do, but doesn't read which hosts are allowed besides localhost.
hosts = Rails.application.config.hosts
hosts << ENV["RAILS_DEVELOPMENT_HOSTS"] if hosts.any? && ENV["RAILS_DEVELOPMENT_HOSTS"]
rackup = File.expand_path("config.ru")
instance_eval File.read(rackup), rackup
