"""What runs on an instance besides the shop: configuration at the first boot, the job, draining, logs. Python of Debian 13."""
