package pickle

// The opcodes that can be read (Lib/pickletools.py in Python describes them).
const (
	opProto      = 0x80
	opStop       = '.'
	opFrame      = 0x95 // 8 bytes: how long the next part is, which a reader need not know
	opMark       = '('
	opPop        = '0'
	opPopMark    = '1'
	opNone       = 'N'
	opTrue       = 0x88
	opFalse      = 0x89
	opInt        = 'J' // 4 bytes, signed
	opInt1       = 'K'
	opInt2       = 'M'
	opLong1      = 0x8a // a count of bytes, then two's complement
	opFloat      = 'G'
	opText       = 'X'
	opText1      = 0x8c
	opText8      = 0x8d
	opString1    = 'U' // bytes of Python 2
	opString     = 'T'
	opBytes1     = 'C'
	opBytes      = 'B'
	opBytes8     = 0x8e
	opByteArray8 = 0x96
	opEmptyTuple = ')'
	opTuple      = 't'
	opTuple1     = 0x85
	opTuple2     = 0x86
	opTuple3     = 0x87
	opEmptyList  = ']'
	opAppend     = 'a'
	opAppends    = 'e'
	opEmptyDict  = '}'
	opSetItem    = 's'
	opSetItems   = 'u'
	opPut        = 'q'
	opLongPut    = 'r'
	opMemoize    = 0x94
	opGet        = 'h'
	opLongGet    = 'j'
	opGlobal     = 'c'
	opNameGlobal = 0x93 // the names are on the stack
	opReduce     = 'R'
	opNewObject  = 0x81
	opBuild      = 'b'
	opPersistent = 'Q'
)

// Sets of opcodes for [Dialect.Opcodes].
const (
	// Protocol2 are the opcodes of plain values, calls and attributes in protocol 2.
	Protocol2 = "(N\x88\x89JKM\x8aGX)t\x85\x86\x87]ae}suqrhjcRb"
	// Persistent is the opcode of a value that is kept elsewhere.
	Persistent = "Q"
	// Protocol5 are the opcodes that Python's pickle uses in protocols 2 to 5 for plain values, bytes,
	// objects and arrays.
	Protocol5 = Protocol2 + "\x95\x94\x93\x8c\x8d\x81CB\x8e\x96UT01"
)
