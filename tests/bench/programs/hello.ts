// The least that a compiled program can be: what starting a plugin is held against.

console.log("hello");
