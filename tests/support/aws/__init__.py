"""AWS emulator clients, resources and a scripted proxy; no helper of another cloud."""
