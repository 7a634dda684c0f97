//! Plan file, graph check, runner and command line of motionmill.
