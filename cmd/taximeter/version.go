package main

// version is the release; the build sets it with -ldflags.
var version = "dev"
