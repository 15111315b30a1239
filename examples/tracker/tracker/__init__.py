"""A project tracker for many tenants: projects, members, invitations, tasks and comments."""
