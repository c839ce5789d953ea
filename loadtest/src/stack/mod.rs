//! The stack under load: the commands that steer it, its processes' CPU and quotas, the host.
