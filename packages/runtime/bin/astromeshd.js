#!/usr/bin/env node
import "../dist/bin/astromeshd.js";
