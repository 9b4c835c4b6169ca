"""What can go wrong with a single operation of a device, or with the device itself: one small class for each fault."""
