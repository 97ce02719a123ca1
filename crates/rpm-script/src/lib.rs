//! How rpm runs scriptlets: their order, arguments and interpreters, macros, the embedded Lua, sysusers.
