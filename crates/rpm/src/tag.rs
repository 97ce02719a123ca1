//! The tags of headers that bareroot reads or writes (rpmtag.h), by rpm's own names.

use std::fmt;

/// What an entry of a header is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u32);

macro_rules! tags {
    ($($name:ident = $number:literal,)*) => {
        /// By rpm's own names. What each holds is said in rpm's manual, "RPM v4 file format" and "Tags".
        #[allow(missing_docs)]
        impl Tag {
            $(pub const $name: Tag = Tag($number);)*

            /// rpm's name; `None` for a tag that bareroot has no use for.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

tags! {
    HEADERSIGNATURES = 62,
    HEADERIMMUTABLE = 63,
    HEADERI18NTABLE = 100,
    SIGSIZE = 257,
    SIGPGP = 259,
    SIGMD5 = 261,
    SIGGPG = 262,
    PUBKEYS = 266,
    DSAHEADER = 267,
    RSAHEADER = 268,
    SHA1HEADER = 269,
    LONGSIGSIZE = 270,
    LONGARCHIVESIZE = 271,
    SHA256HEADER = 273,
    FILESIGNATURES = 274,
    FILESIGNATURELENGTH = 275,
    VERITYSIGNATURES = 276,
    VERITYSIGNATUREALGO = 277,
    OPENPGP = 278,
    SHA3_256HEADER = 279,
    NAME = 1000,
    VERSION = 1001,
    RELEASE = 1002,
    EPOCH = 1003,
    SUMMARY = 1004,
    DESCRIPTION = 1005,
    BUILDTIME = 1006,
    BUILDHOST = 1007,
    INSTALLTIME = 1008,
    SIZE = 1009,
    VENDOR = 1011,
    LICENSE = 1014,
    PACKAGER = 1015,
    GROUP = 1016,
    URL = 1020,
    OS = 1021,
    ARCH = 1022,
    PREIN = 1023,
    POSTIN = 1024,
    PREUN = 1025,
    POSTUN = 1026,
    FILESIZES = 1028,
    FILESTATES = 1029,
    FILEMODES = 1030,
    FILERDEVS = 1033,
    FILEMTIMES = 1034,
    FILEDIGESTS = 1035,
    FILELINKTOS = 1036,
    FILEFLAGS = 1037,
    FILEUSERNAME = 1039,
    FILEGROUPNAME = 1040,
    SOURCERPM = 1044,
    FILEVERIFYFLAGS = 1045,
    ARCHIVESIZE = 1046,
    PROVIDENAME = 1047,
    REQUIREFLAGS = 1048,
    REQUIRENAME = 1049,
    REQUIREVERSION = 1050,
    CONFLICTFLAGS = 1053,
    CONFLICTNAME = 1054,
    CONFLICTVERSION = 1055,
    RPMVERSION = 1064,
    TRIGGERSCRIPTS = 1065,
    TRIGGERNAME = 1066,
    TRIGGERVERSION = 1067,
    TRIGGERFLAGS = 1068,
    TRIGGERINDEX = 1069,
    VERIFYSCRIPT = 1079,
    PREINPROG = 1085,
    POSTINPROG = 1086,
    PREUNPROG = 1087,
    POSTUNPROG = 1088,
    OBSOLETENAME = 1090,
    VERIFYSCRIPTPROG = 1091,
    TRIGGERSCRIPTPROG = 1092,
    FILEDEVICES = 1095,
    FILEINODES = 1096,
    FILELANGS = 1097,
    PREFIXES = 1098,
    INSTPREFIXES = 1099,
    SOURCEPACKAGE = 1106,
    PROVIDEFLAGS = 1112,
    PROVIDEVERSION = 1113,
    OBSOLETEFLAGS = 1114,
    OBSOLETEVERSION = 1115,
    DIRINDEXES = 1116,
    BASENAMES = 1117,
    DIRNAMES = 1118,
    PAYLOADFORMAT = 1124,
    PAYLOADCOMPRESSOR = 1125,
    PAYLOADFLAGS = 1126,
    INSTALLCOLOR = 1127,
    INSTALLTID = 1128,
    FILECOLORS = 1140,
    FILEDEPENDSX = 1143,
    FILEDEPENDSN = 1144,
    DEPENDSDICT = 1145,
    PRETRANS = 1151,
    POSTTRANS = 1152,
    PRETRANSPROG = 1153,
    POSTTRANSPROG = 1154,
    LONGFILESIZES = 5008,
    LONGSIZE = 5009,
    FILECAPS = 5010,
    FILEDIGESTALGO = 5011,
    BUGURL = 5012,
    PREINFLAGS = 5020,
    POSTINFLAGS = 5021,
    PREUNFLAGS = 5022,
    POSTUNFLAGS = 5023,
    PRETRANSFLAGS = 5024,
    POSTTRANSFLAGS = 5025,
    VERIFYSCRIPTFLAGS = 5026,
    TRIGGERSCRIPTFLAGS = 5027,
    ORDERNAME = 5035,
    ORDERVERSION = 5036,
    ORDERFLAGS = 5037,
    RECOMMENDNAME = 5046,
    RECOMMENDVERSION = 5047,
    RECOMMENDFLAGS = 5048,
    SUGGESTNAME = 5049,
    SUGGESTVERSION = 5050,
    SUGGESTFLAGS = 5051,
    SUPPLEMENTNAME = 5052,
    SUPPLEMENTVERSION = 5053,
    SUPPLEMENTFLAGS = 5054,
    ENHANCENAME = 5055,
    ENHANCEVERSION = 5056,
    ENHANCEFLAGS = 5057,
    ENCODING = 5062,
    FILETRIGGERSCRIPTS = 5066,
    FILETRIGGERSCRIPTPROG = 5067,
    FILETRIGGERSCRIPTFLAGS = 5068,
    FILETRIGGERNAME = 5069,
    FILETRIGGERINDEX = 5070,
    FILETRIGGERVERSION = 5071,
    FILETRIGGERFLAGS = 5072,
    TRANSFILETRIGGERSCRIPTS = 5076,
    TRANSFILETRIGGERSCRIPTPROG = 5077,
    TRANSFILETRIGGERSCRIPTFLAGS = 5078,
    TRANSFILETRIGGERNAME = 5079,
    TRANSFILETRIGGERINDEX = 5080,
    TRANSFILETRIGGERVERSION = 5081,
    TRANSFILETRIGGERFLAGS = 5082,
    FILETRIGGERPRIORITIES = 5084,
    TRANSFILETRIGGERPRIORITIES = 5085,
    PACKAGEFILESIGNATURES = 5090,
    PACKAGEFILESIGNATURELENGTH = 5091,
    PAYLOADSHA256 = 5092,
    PAYLOADSHA256ALGO = 5093,
    MODULARITYLABEL = 5096,
    PAYLOADSHA256ALT = 5097,
    PREUNTRANS = 5103,
    POSTUNTRANS = 5104,
    PREUNTRANSPROG = 5105,
    POSTUNTRANSPROG = 5106,
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "tag {}", self.0),
        }
    }
}
