"""Results as pages: each is one HTML file with everything in it, that works offline, in any browser, and on paper."""
