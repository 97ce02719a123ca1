-- Makes the tables that scriptlets see out of the functions that bareroot brings, and gives back what is needed to run them.
-- Each function answers whether it went well, and then its results, or what is to be raised at the place of the call.
local functions, rpm_lua_path, with_input = ...

local error, select, tostring, type, pairs, ipairs, setmetatable = error, select, tostring, type, pairs, ipairs, setmetatable
local concat, insert, remove, unpack = table.concat, table.insert, table.remove, table.unpack
local open, stdout = io.open, io.stdout

local function finish(went_well, ...)
    if went_well then
        return ...
    end
    error((...), 2)
end

local function wrapped(list)
    local made = {}
    for name, raw in pairs(list) do
        made[name] = function(...)
            return finish(raw(...))
        end
    end
    return made
end

local own = wrapped(functions.own)
posix = wrapped(functions.posix)
rpm = wrapped(functions.rpm)
posix.version = "posix library for " .. _VERSION .. " / Nov 2003"
rpm.redirect2null = posix.redirect2null
package.loaded.posix, package.loaded.rpm = posix, rpm

function print(...)
    local parts = {}
    for i = 1, select("#", ...) do
        parts[i] = tostring((select(i, ...)))
    end
    local text = concat(parts, "\t")
    if not own.emit(text) then
        stdout:write(text, "\n")
    end
end

os.exit = own.exit
package.path = rpm_lua_path

local names_of = posix.files
function posix.files(...)
    local names, words, number = names_of(...)
    if names == nil then
        return names, words, number
    end
    local place = 0
    return function()
        if names == nil then
            error("attempt to use closed dir", 2)
        end
        place = place + 1
        local name = names[place]
        if name == nil then
            names = nil
        end
        return name
    end
end

local make_file = posix.mkstemp
function posix.mkstemp(...)
    local path, words, number = make_file(...)
    if path == nil then
        return path, words, number
    end
    return open(path, "a+"), path
end

if with_input then
    rpm.next_file = own.next_file
end

-- Versions.

local parts_of = setmetatable({}, { __mode = "k" })
local version = {}

function version.__index(self, key)
    if key ~= "e" and key ~= "v" and key ~= "r" then
        error("invalid attribute: " .. tostring(key), 2)
    end
    return parts_of[self][key]
end

function version.__tostring(self)
    local parts = parts_of[self]
    local text = parts.v or ""
    if parts.e then
        text = parts.e .. ":" .. text
    end
    if parts.r then
        text = text .. "-" .. parts.r
    end
    return text
end

local function order(one, other)
    one, other = parts_of[one], parts_of[other]
    return own.compare(one.e, one.v, one.r, other.e, other.v, other.r)
end

function version.__eq(one, other)
    return order(one, other) == 0
end

function version.__lt(one, other)
    return order(one, other) < 0
end

function version.__le(one, other)
    return order(one, other) <= 0
end

function rpm.ver(...)
    local e, v, r
    local count = select("#", ...)
    if count == 1 then
        e, v, r = own.version((...))
        if v == nil then
            return
        end
    elseif count == 3 then
        e, v, r = ...
    else
        error("invalid number of arguments: " .. count, 2)
    end
    local made = setmetatable({}, version)
    parts_of[made] = { e = e and tostring(e), v = v and tostring(v), r = r and tostring(r) }
    return made
end

-- Files.

local file = {}
file.__index = file

function file.__tostring(self)
    return self.path
end

function file.read(self, size)
    local text
    if size == nil or size < 0 then
        text = self.file:read("a")
    else
        text = self.file:read(size)
    end
    return text or ""
end

function file.write(self, text, size)
    text = tostring(text)
    if size then
        text = text:sub(1, size)
    end
    local done, words = self.file:write(text)
    if not done then
        error("error writing " .. self.path .. ": " .. words, 2)
    end
    return #text
end

function file.flush(self)
    return self.file:flush() and 0 or -1
end

function file.seek(self, whence, offset)
    local place, words = self.file:seek(whence or "cur", offset or 0)
    if not place then
        error(self.path .. ": seek failed: " .. words, 2)
    end
    return place
end

function file.close(self)
    local closed = self.file
    self.file = nil
    return closed and closed:close() and 0 or -1
end

-- Only what is not compressed can be read and written.
local function plain(mode)
    local kind = mode:match("%.(.*)$")
    return kind == nil or kind == "fdio" or kind == "ufdio" or kind == "fpio"
end

function file.reopen(self, mode)
    if not plain(mode) then
        error(self.path .. " stream reopen failed (invalid mode?)", 2)
    end
    return self
end

function rpm.open(path, mode)
    if type(path) ~= "string" then
        error("bad argument #1 to 'open' (string expected, got " .. (path == nil and "no value" or type(path)) .. ")", 2)
    end
    mode = mode or "r"
    local kind = mode:match("^[rwa]%+?")
    local opened, words
    if kind and plain(mode) then
        opened, words = open(path, kind)
    else
        words = path .. ": Invalid argument"
    end
    if not opened then
        error(path .. " open failed: " .. words:sub(#path + 3), 2)
    end
    return setmetatable({ path = path, file = opened }, file)
end

-- Hooks: nothing calls them but rpm.call.

local hooks = {}

function rpm.register(name, hook)
    if type(name) ~= "string" and type(name) ~= "number" then
        error("bad argument #1 to 'register' (hook name expected)", 2)
    elseif type(hook) ~= "function" then
        error("bad argument #2 to 'register' (function expected)", 2)
    end
    local handle = { name = tostring(name), hook = hook }
    insert(hooks, handle)
    return handle
end

function rpm.unregister(name, handle)
    if type(handle) ~= "table" then
        error("bad argument #2 to 'unregister' (hook information expected)", 2)
    end
    for place = #hooks, 1, -1 do
        if hooks[place] == handle then
            remove(hooks, place)
        end
    end
end

function rpm.call(name, ...)
    if type(name) ~= "string" and type(name) ~= "number" then
        error("bad argument #1 to 'call' (hook name expected)", 2)
    end
    for _, handle in ipairs({ unpack(hooks) }) do
        if handle.name == tostring(name) then
            handle.hook({ ... })
        end
    end
end

-- Macros as a table.

local macro = {}

function macro.__index(_, name)
    local defined, parametric = rpm.isdefined(name)
    if not defined then
        return nil
    elseif not parametric then
        return rpm.expand("%{" .. name .. "}")
    end
    return function(...)
        local first = ...
        if select("#", ...) > 1 then
            error("too many arguments", 2)
        elseif type(first) == "string" or type(first) == "number" then
            return rpm.expand("%{" .. name .. " " .. first .. "}")
        elseif type(first) == "table" then
            return own.call_macro(name, unpack(first))
        end
        error("bad argument #1 to '" .. name .. "' (string or table expected)", 2)
    end
end

function macro.__newindex(_, name, body)
    if body == nil then
        rpm.undefine(name)
    else
        rpm.define(name .. " " .. tostring(body))
    end
end

macros = setmetatable({}, macro)

return print, pcall
