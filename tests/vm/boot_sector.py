"""A local disk for a BIOS host: it boots, says so, and halts."""

MARKER = "LOCAL-DISK-BOOTED"

_SECTOR = 512

# Loaded to 0x7c00. Prints the text behind it by the BIOS, whose screen is on the serial port.
_CODE = bytes([
    0x31, 0xC0,        # 00        xor ax, ax
    0x8E, 0xD8,        # 02        mov ds, ax
    0xBE, 0x18, 0x7C,  # 04        mov si, text
    0xB4, 0x0E,        # 07 next:  mov ah, 0x0e   ; int 10h: write a character
    0xAC,              # 09        lodsb
    0x84, 0xC0,        # 0a        test al, al
    0x74, 0x07,        # 0c        jz stop
    0xBB, 0x07, 0x00,  # 0e        mov bx, 7
    0xCD, 0x10,        # 11        int 0x10
    0xEB, 0xF2,        # 13        jmp next
    0xF4,              # 15 stop:  hlt
    0xEB, 0xFD,        # 16        jmp stop
])                     # 18 text:


def write_disk(path):
    """Writes a disk of 1 MiB."""
    text = MARKER.encode("ascii") + b"\r\n\0"
    sector = (_CODE + text).ljust(_SECTOR - 2, b"\0") + b"\x55\xaa"
    with open(path, "wb") as disk:
        disk.write(sector.ljust(1 << 20, b"\0"))
