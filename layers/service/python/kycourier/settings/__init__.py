"""Every setting, declared once: name, form, default, help; no environment."""
