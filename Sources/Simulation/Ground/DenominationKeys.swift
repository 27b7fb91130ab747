// RSA keys of the simulated banks' denominations. They protect nothing: anybody can read them here. Fixed, so
// that a run is the same everywhere; real banks draw theirs.

import Messages
import Services

/// The denominations of the simulated bank.
enum DenominationKeys {
  /// Values in minor units of EUR, and private keys.
  static let all: [RehearsedDenomination] = [
    RehearsedDenomination(
      value: 5,
      der: decode([
        "MIIEowIBAAKCAQEA8MYM9UbrjYG6kLvVzDn3R8UhnkRk7piuBOhLCiWbN1OxKCPTl56MFomvkXjD9UZr3RrRxDRH",
        "4peSxKLlKri0b05F3mXOJa3R0D+3Fpn2be4o+qHz7nxuMsrehI+cEythfjO5igcQcsqHH9Q1ByI2iX7L2k+hTVVJ",
        "o8ARvrYQzsojkDNenV9O4HkSeCmHZ3gDX/9CzJ3wORCXS8OnU8L1FfJEIYZwYo0ErqZslj/o/NOcnB2hhAukl+HF",
        "2PiVCXStrPKXGIO12pt80/8lHnFQHvjcoFjj3m8H09QNvwnqAXuJ3iheJUY7yxXFFFPBSIsa/qWXMEWdOvUVU8P+",
        "9EDf0QIDAQABAoIBAELx7jxsgaYQwfzoHSPxog20hAprXdzxWsFGjUa++g9CF+nfPD/V94F0uvopp+KUt/z8LgLt",
        "vmcEWeyOlkVwocqo6shRaiYT1FigvplsKZabN42oZhiTRFifC4u0GmNCFpNuclIscKhaI4P4Dt5y5tMIDEohBepo",
        "olcDWmu6V6YHCBbKoj61FobxC8GXE6jlwJ7ds7gtKDVHv6/9KUFcySQl6SB6sHRwbVHpEDe5XBKZdSLIk39P4Ots",
        "fzrsIwf7d8qxja3lEeLEPZIJCifaD80hfQ2rqbD5OV0jT67/q2vVbIxjVg7+2vwcV41J/1mMHX9H9Ft4NkEhWJr0",
        "bQ/bY1kCgYEA+unE06rcGEtuiDtTdRlfFdXz86vXk3IiYKuf/jHPuH5X8EEhhOUr8Ntqs+XwoUil9tj/mMkPHrnr",
        "v11WrUGXmsbqaZwZ8kexlrNwWtyffWJbBKGtMRESe/TtNcN7FcCdyGqUdobsoBu0chm6dm/aAUQR/OSdQ6wwOIJr",
        "L7x7LRsCgYEA9aeocB+BtOjykAuDP9olRQcE5QEDDGkyTyFvFghhZsg5vLuBFsXU0OtV/b4HA+BFQOMnKXdOrY0T",
        "S02IXXP7/BSvBI4asxUsfHmlzLBo8EduIYK/to7xdeSfzPbDJDocYWpc/sQ9w24XEO0IqdoTfBR4LyqUESicUi2w",
        "sw9OEYMCgYB9DXt6nyJYvWeWYDMFHqMESADwxgmIRA8cLQ1tbDgB1H5RkLR6/pj6zvCMPqLCT2nf8GDbLgHqJ3F2",
        "i7eCXDmJ+2+jORi5Zr/8wuvRbTnUDOweD9I4rTCQNQ7wh7/VpI0+8NeTh0Vxur0hTO9gzfhSPzHT38D9lFjoIR/4",
        "x7CAVwKBgDGLqRtEH4L/YLzQtZ4RP2cWrVQKyjScmvr+wUruUcbLJ2n7X2PabrvcWzGcPAn6F72okuN4HrQ+Od/8",
        "OT6v/+itu0bt6lCoOpq4ZkpMYj3kCkBUAJqvZd/jRp+uPVl3JvY23566scJS1/Af/plTVI64Ci1pJwf26uBgOr1C",
        "nvpFAoGBAMdfVIIDE4nXR+nV9n6/P31ZCkAVcCyUSg+lvGpIcCG36T/Nv+GtXkBEPLZ1uCCCkUM2jg0CzPvLbvA4",
        "9wNFVdAaTeeSPAEwfRVE/wAtcYOAjK3VJDNXNcoS+TOkqJ9Sd6PcQvZuwDcekjgMWVNpQM9rGVVb4kitiCQ+j18K",
        "omeR",
      ])),
    RehearsedDenomination(
      value: 20,
      der: decode([
        "MIIEowIBAAKCAQEAmN4ymk0d1ir+MXAiVVM+CAFKCpRP38whz5iPqZsbhzV/g6Kv51D73RuHTrKY5vUVa8SNG1Bt",
        "RRWqa3SpzrJO/Ofv+xmopYfuRvwhv4tdmC90NfIXL+Y7c0ZEq1AyEq9UxUaBeR5snwbDrP5Z7J+HEtNBg336SKwz",
        "EX3LMDTWfv9Qa628Hg+V3DXNcPeNQ62/XEElOCeFcs2K0BTvnin2DrzrXvQ4auDSQZV3bDNDryEL/taTS/8Mipjg",
        "SmnHCD0B3V7mdoETq9BeuM+TTL6ffaC2cw+IaHIjIsh3kGMBbhhIYJ7uK6ohp/ezC+01uHHoywyGSBVFJHohislz",
        "z9/H9QIDAQABAoIBAD0c124IVl1AYs6w3Yju9mWM3mTMVgJKQVoUy5oqgB7VrFybtWbsYURLtRQpIidy41VqBl9d",
        "D9IGj1LWGOyhLCK/NplT8K/8X63RLky9EnW8wuCuH8bua+XxuZIjRWFi5qjXPvuExjftJF0Mcja+r+k+u3ot6tkS",
        "vnfHqmtjND0ghiExKqmvZTQmYDV1y0rXxOEosxnGFMWkwLOUM5FYf44S4sbxddCgsxL81qv9bBbwERqahg28EBKw",
        "tpJa772Wo0be7j/yvnUKUn2cY0ck22+CSY4hk98tsRdmV4WcHB+RFH1p1JXr8/PwdtXw+2oUCH8vUZS8fBptMBU2",
        "P6cpSCECgYEA0/vTk5F6a1aAsVd7T8bk3z4CmWKY479qZdmuoObiuZkSI6O0niezscSM6XUnl3cyFO3bcWU6Y6OU",
        "2aFbshta5uEvgh2X11jqZ5et702jYRaBPCc7s+RbWafxSiKQD+Zv4N+wAlWv7vNywD1D+KUe8pPBhj04XjkLJ4Zz",
        "qU3G1LMCgYEAuJwGIRhnrud16FCc/DYDRQYdNH8XhJX7Mnt4w3HTTeewtnA+djTi1MkrerpE5BDjFUqOKO8cir3k",
        "RwpwAXTVRwSbDq+q8400N05SzK//yBeR+7z76SUZhTCCJCqkaqd/36mY1ruhJX7uXrHRo14O2jNO5q0oj3XbNvbo",
        "EurBVLcCgYEAqix4HffkgbSwnS0wVcvCQiCir4XCXNp2TIsisBKJohrqv+eUgH44uBWkVWnyPZq3fquvxWlRJVnV",
        "jZwGY4WoRL4ziE2/bmX3zu+p9viplrAdUS/hsrk4SFIU1sHGSq1f1PNddZJaKQYQcZj9LudHX88TxXLyBFngxXse",
        "8KP6YRcCgYATvlQFfBeyo/x/MQfpDVnCKwo6kBES0/t+haf/tw+zOEE08cIsYDGWMkGdKYiun4O5xjR3+kKiL/bX",
        "Bi2+aiFZLAvtQSpWS9a2x4ChdX00iBjLxIVohNg631o7xfe5lFpfsEKxTHXKjc2ugPP7tdZ+zZf1obVByof8U+G0",
        "DDlK9wKBgHqHkGHNFQIkkYPPDK+HLz3QGSD/DgyHd0Alabu5TTcUO1GnRaeq6ojTBXUDtkqB+j10LUuLkhR9oT6A",
        "5hcntQEfPtlsPccbbAU413wySycOXRGWf6frxIAfhB7oARcJq5xMGJOCDgFjOk223xV9zxY4IIQFHtqNhigKixB1",
        "nkJI",
      ])),
    RehearsedDenomination(
      value: 100,
      der: decode([
        "MIIEowIBAAKCAQEAvURVn9CUEeZD2uHoJ1Lnx3Ej6Z3+KLp0/qg5RGvpWPlzaoUBeS+Z+r7DOssE5a1U5qdIUvAX+70d8ijP",
        "lsBqg9lx9BK9vyNos3sOxt6L9K4gaSVB5iQgMkUDqZVIde6xXKJr0CKpbXmmlxGd/3eBykCGiYPKeNFmRwkfTY3kdv1gp/XO",
        "b+NLACbTewo58Q0uHyb78b3YlkGJeCLNbJew6U7bi1BKzrr/AFyd7zKv2g4+07fU9IOa086KAinX3OlRTmachoKaAXGUHqWv",
        "zNBQymNNqJsaQHefcbMoe1O7AdFHeaMsI1RcwcljnCcFQqrLKFOTy7WfOjoH/qdE1bDcUQIDAQABAoIBAC85+uea4yeoPmxC",
        "jGwrirxAZgaoLsA47nKQxWFmT96st/jvYVO85f4kVZC5EerBmnrHaQuQ71sYcH15Y3spXiqyOnX9qy0jh7+pSCGlbGTMgjfa",
        "XRwxDXudrvFE18Tdn5IO0TopO/+eKExvz+3sAw3VlfyATyhgj9XP1+jBLC3oU6e0SK1yx6QfEEzmlHKCBk8Vl8gobLSQNPQS",
        "PytWwfqx19pqzNLDfM1kTCQgRt0q9pqEYkOgGk1byuu0e+HkVAG/B4z9vjTDkwSSs+qxXemxZnW+ELGo3GGOeFXjwg57Kvff",
        "rt0ENFd/v3UM7vV1Wz+CDdc2Ekls+YhiG7dt7XECgYEA4/yYcF9WiR5cFX0+FFe92kOcQM+ezBBtIKGb14pErPZi3sjmT931",
        "x19sg+v4R8nHoiqaPcWoTbt7LgpwDimYsapXv58Nfo4+BefVUNCrMptSFx7/k7AOV+aJAFkHIlLVH/XmMjH99NHJFxxl3/az",
        "R0wX0hBKTgxqWO+y+rBrz90CgYEA1IXLaddTNaZDFpjbu8Gw/+ZwZupTMlQwt3uCEo3eZjCynsfaAD0U7/q3MFBWFYKCoqYY",
        "LW+ZMV0MRGpTreRXh2QDsk699fMCVz+ZvpDcBFpQ6MdfV6rL1x8KYSx9KGumpEwDYRiBGzAC8fS0OwDp5nCGYHtAln1lL6PN",
        "0x12sQUCgYBIjJ4ZzEzmT3HwKK2znYQ9y5wSh785otSHOMY13bsi6zjlOjsIGVLYAgavKE0W0yAi+7mfhKGdMtbs/MdRymzb",
        "xKAtyzhpGGymRnL8R5ri/MgvsV6VKcY2tJbONIZvprpJdF+vg3cUDBoYr6G/lmrQemduIl7y3UKOUKC84507RQKBgAIglLiq",
        "fxq6X1GKlih699qX4+gj0FFgplwv0E1/Pgqn0iHkvjniYqNETzEcnL/6XnRiVTufMllcJRNKPSwwbO/eAGt4fk5H8G4PJOrT",
        "aGBixwyNclbeTswIc4Ilf9s3uKNMX3xJUoGDKYRifqtYhv7XgYDVuv/GoYyohxbl5JpBAoGBAIZ5qSxz46JG/D46sPVLCr9X",
        "UQZk2OuvTv4zFmtQcK0ofGzTkI+1g+clAUD0roEAQs/N3A/7vmCPq1FnY8wHXK1e3zWt9i8+k0MAB43Ohqn53zaZhP1wJXKV",
        "04WRcsMlyC6d4JT/yi89pnm//Mz0DPRmxM9YZxGCXAwHbvm8nlu9",
      ])),
    RehearsedDenomination(
      value: 500,
      der: decode([
        "MIIEowIBAAKCAQEA9jjoHh6N5+HC6TDUKnT90XXxN1V32N1rcxuboIvFpmgprPL7hY2jBMxtPXwt4ZVMWgjxASbmvhPMCR9I",
        "CDHaEOntqUXuzLu7x+rIEwPHDvn1jM159GoOKDRckO1qzBfzOtSEhVO+I2+i/yt+pONMomWQy3OXGdAi2Of3g0snPSoSKEbd",
        "qUwohTUR0JY7sWSnHUNsFlJKEuGl7rs0pjX4R1HYDfo83v2+MyFXt41mXzA1ugAM/2Rflk/GOQRaq01/1XPd2HN2u6Az4ofM",
        "T/Kh+8OsUkcFL8ZqkE0NX1QgHs8KO0xjZgiqkfsBhTXIJTvEL39vGhFEU+cPQJQ60O3ONwIDAQABAoIBAGWWWhKfOZ5L886h",
        "glAYH+btef4CCeYUiPIfmGi3cm9zd4pvYB4cr39Z1tJw6z8xCaT2HnWCtt4CrgKvgNk8tEOZOKDIBTw8UsArmqvZuaXwtIKI",
        "/oG8xiWJYQ28nv0g/o4tw5V81SyqsT4FlIV0cJhqPkDq6pNQYChNIL5vYfumElYVO8plVtyRFmo9hhBrX5oX2U8nKUPqw/UV",
        "REUNH5VIkJrsB/HSw5PGMxOhFPb9amgSYVOdfnb0+KGJdrLSGpP7g1AdZgfFBO7q+4zoK7oEYGpa0xgfZ023f5De9DphxZ72",
        "lZZXRTe2U84MDfAyUE5k3e/C1x9SpYmmzugHDXkCgYEA/CNVholLtCKCaRm3Ixu47Fh2Uxg6/6cXk1/J1mgRmZSVktHD7uFo",
        "ZWBYgK5hfaS91TYhXYbz/J0lHVEfSqxViNUZSrm2M3TeCUomOx7O9lRW4DQUj9Hzoz3zrsu+F2aCUOKESxYFIIXEhvmp66ny",
        "xJWj/kRvB0MMD+YS/iwVZW8CgYEA+f5gU2mXqhndJ5ivO/mmS4FmzQFcwWeeWiduXa0pF84x5IJgHW61yyFleVAJBR3HDnWT",
        "ZSKp+jqIIgQEeU50uvFRf0ZTgguSM5I2uMDkzKk/HKb0auVS+JSjerhkK/496DpwzsOTuw/RzfJXq8vxNuxSxvD/T6nYV9cF",
        "E+zaD7kCgYEAo07/hjRHJFV1wj01sTezfuGNQiTfkdbYHkxcntKpE6B5gK79CSxWQdM1f6Ny4b5idkapNbrDLUtbTrHMYsFc",
        "ZVQhHZVLvehkKAAu4vwBcOsPmgghiUWjWIg33W95oA51OY59wWRxza7Wq9XpiQp6g3moznfksf9rQKD0jExhT2ECgYAmQJIk",
        "sUePs51vbaGCn9SeQRKl08uJnH1Sdi4hD1n2Voqz2G80kbgneNi6E1EOA1xuDfebxg4UR9iEu/CjTyn1YO+DdhNZFsQsN/c/",
        "leRsnIkXrURBBw4HE1dgc86AHMsEOc0BFlQIj4ce6DIaC37BVK/l2QJ4Ahkkd7ZDMj67oQKBgBlfIikyfmL5va9lZPNBVzpw",
        "++8hkiE8nzkzwiuDu88y/c3DgDWwk8Kw0uMrJcgz/5f0rdDatDntwnIJ/Q7hsKzu3mBKDR6SnMC+OwMbjEjpiNdRaYBtDjTt",
        "AWNgFDDJudDJN8nmrBik9WEh1ygMU2L961ARe8JzjwsrW/wQO21/",
      ])),
    RehearsedDenomination(
      value: 2000,
      der: decode([
        "MIIEowIBAAKCAQEA2Omxuw749DIOdVFzwBOG8Gbc3Xmkvap73hJdqijPrDDDSGrWfjqtgoyoCt9LFtRx3YXufdTw1SiprJsi",
        "SnHSn9hvtUkPskaAXlbmbB7fU3SUO1t9DqdkaBoAX5OooLL/k8wHikJ8xHWQpbGtc6KESZ/DaRCQGS3qVZL58kIGwHBm0K4T",
        "8xnWRRYc5YoVXm1l0d0ENRgrsb07Fxniq2vpR1J+z6Kmai9mj8iw9H/C29up4d73FSIIytwwTeCksRoKmpr47kYy15jJHEKo",
        "DDzPgfnfGGlD4Gv5PmBDIwsjyXMm9u1OPLz7TP51UKe5JjAVDQgbMRhw2wzb5xOBe3TGLwIDAQABAoIBACKYArRmiuXHJe8n",
        "8mHru1WT0h2wTMnC6sZb/3wnzhcUH9Do2RSAnzN240X4nq0hbJd7yLFgyJf2SDky9KESzhiYGBi9cjdobwicq1sLAWr56Loe",
        "uS8hGy5PF0gm8HnQklor6/fs6qEabts+Hv+WJ6rmQ+/5qEGbxQeozRwJ07HU7+1M4wtrxPNEPkGPzAboa3YFpcfnkyrnZ+Qj",
        "bJd3G37c5tpM4iyA98ZJZCV7VnvMVuXpJ08gBIUhrBk/IjwXQzmX+Mzhw0uMmb2RBlRwlyynC0nFi0X2eeKzewF5qp4F4JeZ",
        "Wjr+VWqsbo5R63Zhj9d24LkfPMG55CgNTjxFh8ECgYEA/pIQAE0YmL/7v2qRyQClEKthNfs/1fdZuB7NaAbRtmrUUPYZLFyH",
        "0MZ7Ew/tITPDi3zPiqhkLCGQdkznUJGq5xLcA4/5yc7TQMrj5Z1p4kr+eI5OJXI9ym6lFDhFrXG1mDbX/1UWa+cuaoTgUTPT",
        "b7qTo0OchsrYJgqnhDJw1ckCgYEA2iF//bH8h1Dz7Edi81eAXQa2sP4Mk5XhVjVA/54kwY7KpyiCNxrNyYidAyAN4XUUbYAy",
        "d69H6anUdwSFDIZEibGZeYLgigTB4D5LwWrVYqcB3j2q6mtk8+bRrMmK33lVJ1qiieAXzixCDRR2Vv2Bbb88IVIaF7HLWEAf",
        "Bo3MGDcCgYAbBQ3Fumkd7WKfEoSevP7IIiiTPjOsVjCjpkFPBUpE/lnCrhxF5RxVQHvXrh0RJRlgOMMeiHj5ZiabJ9Z1asCk",
        "/g90IVf134n0mpRNzsNqTWNtEE2jE9kTH2NOHhrnKeaIXWnXpARZN5RpoejdNY7/kOISth5rACSpBQB6u4/WYQKBgQDIUGtR",
        "dtoJCfZ2zTe5cGmZBElRUHwMLF+64zzFgV0PwymnSDQMlrjUknheHlmg6fvQcyHldzn7AtLyWVw1nDfkmwvt4pqBJM1GOO8o",
        "uAsthWDZzpfenrEeqqFyo8K8Zpgkg78wDnLOCya9DEWArVzmg++cSeFcURIEAR58zkrXEQKBgER7Ub+EvD/UQ6iXFpX8Srv7",
        "xkmVOJFxUqzLOeM31av9wLj3wSJ2+30/SjfwKQ+1GoH1VBk6twNeBDyH01QhPb3LO/qVwxH143ObEkIjgZ7+p6lfdkKQ9JUY",
        "zkqAG3Xu3XEckLdHKyNY9jO6Av/dPiihLTF/vmveGl2Yia84MiB5",
      ])),
  ]

  /// Those of this bank.
  static func of(_ bank: String) -> [RehearsedDenomination] { bank == "bank2" ? second : all }

  /// Those of the second bank.
  static let second: [RehearsedDenomination] = [
    RehearsedDenomination(
      value: 5,
      der: decode([
        "MIIEowIBAAKCAQEAuNZQWSMzQNnkTx9D0MQ8cstq23tMXwdxYXsK0yQIPBHRqti3BoAMOxHyqd0pRSc9LVO0sFFdxPtu",
        "TyMGX8g1xPe60cb/vZOjeg1KTi0jOxxOYaEUg+5MM9kARIlXhBnKysVFaZ7sSQqHebAvt8AOS/ThQnPjH51s5YTo+Umr",
        "U+Xb2YsPcA6kr/Wt70W4NJKwaJFuablj2N390cfQouHjn3tlSH1GKHNxKdRi9ozE52jmNUuY8R/6BS6pMh2hycYKaQKA",
        "DIu82cC/Uz2fHEvZwyH4fT35ZMzu3uqUXnhJj7ZEy2r/K2L3AhBTj/qhoFd0MhPgTRJjLQHs3LRC3H4e2wIDAQABAoIB",
        "AAvjRMGm4On/2Y45LYxkwpqDeLjrAitueB1T44tW2uy6HKkHTSYu4BqAegHwxnG7J1Ud+BYK9aPwo9SVJRjN8J9da3eI",
        "e/Q+ZZo49pl2j7iChowC5yXhEqeXAkxmJOnLGt7VtzQm032THsl1ymvf/0tlUYOLnoTvBAzy8mTuFwXLO8oLomYzb8Bc",
        "LNqQZ6bOZ955oA1JjKH+gY2tG2tgXhOArjDi6pIGG2IXT5pDXzJ6qXdlqgeI56AQpSDBAPO0yng10z4B2UEV9KnjKY7p",
        "ATNEvRoj5NSwZ/697dhLeXK0gq8+7qs4Whhpl4QFyEzK8zhbJLJM+VZM4MOLlk4BQjkCgYEA4uoN0FZG5/CGNRC3nXUM",
        "cGPGMrHpDNI1/40JRCl7i5m+jVEkZuwnKeDiKwb1Qs3mme72XvXb6kZrmFz+PyHpHxceNnsNGLFxzbi0a+BpGqUCBAzC",
        "uLrW8wDV+S669iRC1Im6rfiRFN+QJViTmWmSwtKDaB0onUY+xr5dLIIYiacCgYEA0IeLjZS4AnwGBbsR4ymQp9KoN7b8",
        "3ShbIS4r3eQf/BOpLxZQ08KairB1PlbIbtsFTsLkt+9OErkY341DuRmTTBJIp9cIAk0pfDYmmXKDciY000kA7uDpfdUY",
        "o8wdLppm50CO22xVyBfzpJz+q0D06oG8f9+kEhuWzuBt7tbPP60CgYBsmQGVdMUomfdRDDgkNnGGlGm1t2nGxhArxs7p",
        "fUTwcds9fNkEHP89TrBPUVwt5ab4guIMXnQqchtqZw8THeKZC5JdFpUU/U9u2ngWrOcAZnpJf+XtTRY0ZHEDebbmuEH3",
        "wBbEzhJ5P+mXxgWVxW4EqYVUXagjZQwER/UFqRmfPwKBgQC4ZSOiLsAIcmNg7esDVN31iPH3UniHmAf9bzabH/6oiTox",
        "ySnwF0VRHniOh271l/c5jl1xyMrhA4xbIi+gnl0CB6j3wc3zOwhULg4z4m8ZoW9U5llM4tWVz7naHcQwUZhtJUkt/r5c",
        "EdIA3lLUXLw2IkLtUHVlDcBtb0fGy2y4gQKBgAOn+z52e6g7kxOnES6N/EFhQiMN1b4PfcuigL8L+ArR1Ih/Pei3v5VM",
        "i0lLY7r2lcZR2KGWZtwlHdDRGSfsdserP5lynJyrZllLcJWMvJA2BklPNIiSIIoEOqk9QJRpxCRVa2RKLo8U1M2L2SJB",
        "W5ObILIT/j2SQE35X7oHZGgr",
      ])),
    RehearsedDenomination(
      value: 20,
      der: decode([
        "MIIEowIBAAKCAQEAu+PvBImm/slwwYWbqnwtMvRw/SQMEVmVFIl8kUbunVP2uA8J+VaOIu9opezy6Dv2gY0YKBYkDr4t",
        "2US5CBUEG63yss1Sqd5ErANN6QrR0WGt1Oq2xJiC1sj9N8A8cUilnB2r7nW5X1WPwDypLCIhSVhIwtw2Xw/fw1f8+YIy",
        "px6fVhyaJIt8s/r7Sp3n7bLWG/EePX8Qq3xN2LmT3fIdCxST/Y3xtXPUbuNftG7r1XyaJEaG/DlTeXSfKSkLdr/ERZZZ",
        "B49YRUwKb+O5QVnxpHIhkWLqoZB62S3BylLuvaGIm49U4xISEyfkW7LZR3/TCywtwEkKwQzYt71WiBbmTQIDAQABAoIB",
        "AEfhmVEqmm1SQqV+yIGONTqPwuRNlKJUm9C6EqJ/uQ0OkM50znOKFiGuZuJHxtxrCFEi2hGH+u56+o5rGMDLTYGLaFTY",
        "cV4Ub0BBmV5lKcVJcdgJnbeTw0aJqTpZfKY4TUdvIJY/ipY65R599piwS/zD3j5SQijXKVuR/3GzSk6do9Rb7bYZqUoi",
        "7ff7X4Zet6333Q4BkPOf6CMtiYw5cNkqyBB3naLtUmG0Erpnj5yu3jWmnL/I0hAfXPQoj30Um+MauvaJ+qHQnR6oVCCG",
        "ZDREpO1YIeLkcSLBLTlxsf7SZ7CqdnRbTX5+sVky14sZ0CVwPpS5llCeZ6iBgRAQPM8CgYEA6rM9TjLJavibkErBz6ad",
        "QlE8PDD3zGcB+RSEVt7X1mCf7T4/FKNNxNMvPgXT+LSWnGdylXmDrf5ayWL7OKYYI4VBsFlMZ1SeKEanXLcyjzxlgZrT",
        "zKLOu3v2/JnyG1SEgu6NJPROKTGOg6C1MtbwNnz9Ga1wZ2kL8qz+uuwbBF8CgYEAzPErAYffXn2Xr7TA9J7ZrsK7WI/w",
        "ohqoVNOreOc9ty7om7+H5dIdWS3N+DuzH2X04lUtz6i6K9HNnmsU7dcsUo7Vqp9/c4h8G8PsePTojB0/4lX8GGzU6YFo",
        "Fi/P927EDcbrw5T1CI0DrLo7uhMptEgi+plYkucmo3NiU11xNNMCgYAwrAEfsWqR04K3VrmAraXZNe2O8fzBl+8Rz45u",
        "UYJjQ+CGm60LQ56CHeWjMCQ4ZIMDZnSdyPhk4eXD89HzeoZw/1aTEsHEgAjYg2Z71MYYbEcErK4VtwG2YcvjsK1Du7BL",
        "UttUeZGn+035wB8zrt1b/2mhpJU17NP8fKHK8+HacwKBgByylJwVQ6D+ozP2cqKOb9r557QCC+cXJoUiUruOXeT9y5Kr",
        "okL7RiLLuDDPY0i9RSpAVTbj4JXsPge15OtdGxbAa4kF5pnt/bsBl2ZknP+pxN1TvwZIjxPXjBS3Qz7ZothvB2qOvDUj",
        "UeVo+p4WuttE0qkWugFwHsf6i0UzK3wDAoGBAKE+wevVdMAi/6VarnLa9o/c0Hlogn7wU+seRoXlTsSVccDErcU0sDi7",
        "3Y2bUoAp8ABEI7BuLktUxFzrseXOKEwk/jMsiXd5dm6xbkpzuyulVRnyNsLhkiHYBu/uTX/mc8kg3LGyuKk07jVyZL8k",
        "2XtmCVaa6rOqKj/v/wD46wna",
      ])),
    RehearsedDenomination(
      value: 100,
      der: decode([
        "MIIEogIBAAKCAQEArGXOlek+3H8anwren7UwC9fcsBO7ow5M6OjLJ1ViERP7xMbWfGdRqWzuo60d48dvgqrN6sJWm9ES",
        "yWhdC5yGR7GAOkHlMjCsKVw8QOL7IhH63FIh9nZO53oMkkIZu3V0vuSDIY3Fkjuyu02azxKuSuJHhzS9D5bSxorJNWy8",
        "FPlGK1jL1VFBcWO5sfY/nhLsBzzE/hf+kA8o18QSZ3Om6npjLPxlM3DV2cB8aYUxtfnfz7s5VkdJS44CEtGMtzRHP7i2",
        "U6LhCSVjkr0PRjvQce2rwyYRzIdAUh2ELfs7RtECJv30jQkM1kF9NfvCfUNLGQIroPkf1a7iB5NGnZbleQIDAQABAoIB",
        "AEQ7HuIyKFD4dT7Q/H9VJKjrTErb5H2KYWIlEJKGtoNv10twLt+ZvLZDiMd68sN94WJj24+4TrLosnjIN1srHfIuDEQC",
        "ZIXSwbC08pvzudUoLJMaZpq3BE+U/Hi+dJS+ze/nXQbgp3tS6VA8TLL7/8Nff1PBybnrxYwSzcO5P09FGmB3jemxx8Dc",
        "kCcBa604TqboxmEjLWk5COXgK9S6lVzWNUDQrVznO605lmXH01pOpasLLM2MOXCH5b/CuTKtQZXzqm4V+SNyQVp1Cebs",
        "789yG54dSj73z/KWAcF5PhCIPnPXWNjioxEmczO1rOvZQOkv/zBh/k5Pb+r7sFE83SkCgYEA5Ivc0gnlm9wxnOuvoAqv",
        "zcNsScb/iYrHDS0a3vQEJQxk/em8LpmEVn+P8mxyEYJuXilJ9W0zYGJ7KV0ycJiIZP2347tyY5baTtO/48bLMxCVAEbv",
        "xfzDVqM/zT8meFdZMkFXkwGQ1ZIG8GzcAn7igAWWjPxw5AnaMyXUJF4P/y8CgYEAwRtKU9VVK0p/sqjteTxMFWje8AOU",
        "g4Fg9XE1c8DAKVeVbJ2KGJTxkJSL5Ya8JJUJqTsNSW4rllpYP1Z+J8WfYt4hHMwZmZm9EWw802vKexviYYoPZ/AJ4UAb",
        "3tngtVZTreevYBn+NQ7MifYZ9cnFW597aFDxp6EjFe/dOTc0e9cCgYBix+jLh6eMNCHldyDThYry3nJhePdd1XOvSD2C",
        "++kGslK8RFgntAa09DGdUC4FT2CwphvnTimUkTw2Zqe0btkU/WyLq6sHTF5TD8ayhmuxSIt+MSrVYihzu9+JsK/J98b/",
        "p6pYSab2CEWjiQmWsoznVIL7sOiCR5fd343PojA71QKBgCbbGeqie3+5ftZxPU9uvZR1RJ6g6cpIRz076ViASWpIME3p",
        "qTbnCXBhI4EsykDGKGp/8l17KJQZW7Zq7fmMv1SCg8EqpGAO2kdeMyMLhnOdGcEsqYrtdt93KeR+jMOQOkg83UIGGOuO",
        "LcP43CJj1i1oeslzuBxVxRyN5kK0BACDAoGAUCjllwLwIfpcaDW4i5H6QPY/zv+GUSxUVwf0DWrnRqiyMgPphMp5Ru+y",
        "+X8lWRbsaqTZjdCwCiq4h4IRDdHxz1zpnvDV49E5cHJTgfOEJaJSF6WKFMkkNjJKvrorZlVQ0+28NVekKNLSft9xsI1b",
        "1oi9qeBKGbIs7rIhhcNpo9Q=",
      ])),
    RehearsedDenomination(
      value: 500,
      der: decode([
        "MIIEogIBAAKCAQEA48lrNNntZtQm+p/gl6wbyoUHJZN/nq1Qn75VTZ0wz6JgrMlH/Wr5ydZUoeEATb6wX9S7g8JD7smv",
        "EKp8Jb0HECDqwxOVjzng9vVZwowR2azAOOz/fMjL4DSNwGOXjg5jZ23c6NqawgIlED/qjEC2J7h5idifQbDR9l4oJ/Ld",
        "WzMMEzCstdUDk2aM/ktxXF5S9b/BM1P0+DjfgPkmmzk+QY912dsuAWC9++R0De2yTdAVShF6TKq+LtwUTu+9ZMh/lzXs",
        "hZYWkFw4PctJjigQACo6+jPceH4z9wsc6uCtkeGPAa+wlHvBIlJKMTWaVtKjoIc2L0+RtUoUTlcbz+vbZwIDAQABAoIB",
        "AAsXKAWquzaYwk0WID3Uh/OUT6lW+/siYtOtZ4wf2yUcS/QdtCOZZBALH28v/CYWB0l+mzTqgHaEbZ0P1HuUL19HX5R7",
        "VnqHTb8BjorzfcZtq+4+Lg23lH66opnpGtx9e2vNv9hNXruTcXFiPZJfuMfa4TSU8uLtnZSO7sEDLY0DF7ypYtAa7Fin",
        "2huP4cazMp0wdhjJS9vz1CrvxYDGOj6MzaL3oRbyRQf06joaQM6MrhAsZD1KCcFyEh9JzZ4We9ynJgv3f+JdlhwabdIz",
        "7f9cvkIVwlfD8AFsoZuN3VoM/FcLqkePKuNE4JitDnVjLlfLo05GoE1tVCuCgJOQcgECgYEA9R2W6Pmz5Kn6CkjjNp9q",
        "eWwZnPrJICWywQH5sRl25ofU7k5NFlAFOzdPS5XC4Iy80TpYafHRw9wkc6T+jBsn00Eu73yQJXmIgvxPz7xuTQYCdHv4",
        "B4L2akfn7zAOA0iRANGYTc00wSD9jR+3UGudR0uAcf/k8u91JP/mFWgpVy0CgYEA7ebXDlfRc4e2MQN1pXzrlXjl4Lps",
        "wDq1mu1xq499Drkpx+4oimuWJhLSamHNVi7BYgWIHSX9Fr4ljaqixTF1g46iR2vhDFrhg+HlxjFPYnAf5cMLzCwKdxlm",
        "yVBSIlDru7WvHnxABMLRIKg8zKgkjp1lDOz4Hv9ri8FAvjdy2WMCgYBSXV0GcFHYtp1Es3VWN39Jyd9ZdpP672//lzBW",
        "KF5h3KbaZQlWRBFd8pn8phhT6DbSf66R+yYnkGPXUEwQvFdHj5G7+7lcPlh2213eSk0uKKTOi5GuxH0U/ZCcOSOcStge",
        "1E8/ZYMimnlY4J1yspapDF/e7sP6NijBBBRGgTfTCQKBgGWBuELzb3gG8NLq8fihW3eUdSk1Ag/nPPOU2opkF+z/Tndz",
        "A7NEAnXOVB92CYH7QyIK0C/3tIxOp4FRzE+tMcHnSxCEVCrMYCrAaSTuhzuuMb38Qf1k0TZODVBaSCFCO8ME22p7g2lE",
        "oqx3fDGqkKaVO7ePKLM5Mm8YDwLab9OXAoGAHLx0Qsc3ExT5cC8YF9YksKPyvhz2wX/yATtmHZdLsSSVdDKMJR+UPdT4",
        "E9MASXBKT8rDPelEgtvCTcKMI+nxz33IRydozaX8dvhU3jN8HyGkxG2/UZpbPg6vYye3AhCrwKPiR339Q3rt4JhswafR",
        "RZ9Rj9rp2rRdaV/zbOB3oCk=",
      ])),
  ]

  /// Base64 (RFC 4648).
  private static func decode(_ lines: [String]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var (bits, count): (UInt32, Int) = (0, 0)
    var bytes: [UInt8] = []
    for character in lines.joined().utf8 {
      guard let value = alphabet.firstIndex(of: character) else { break }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }
}
