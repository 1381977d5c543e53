#!/usr/bin/env node
import "../dist/bin/astromeshctl.js";
