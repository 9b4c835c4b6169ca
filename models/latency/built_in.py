"""Latency models with a name, each with the source of its figures."""

from __future__ import annotations

from shadowshare.models.latency.disk_drive import HP_97560, DiskDrive
from shadowshare.models.latency.distributions import Constant, LognormalMixture
from shadowshare.models.latency.episodes import WithEpisodes
from shadowshare.models.latency.flash import SLC_FLASH, Flash
from shadowshare.models.latency.network import Network
from shadowshare.models.latency.sampled import Sampled, SizeClass

AnyModel = Sampled | DiskDrive | Flash | Network | WithEpisodes

VIRTUAL_NVME_READ = LognormalMixture.of((0.969, 76.5, 0.112), (0.031, 113.3, 0.458))
"""Direct reads of 4 KiB at random places of a virtual NVMe disk, one at a time. Source: measured by this project."""

VIRTUAL_NVME_WRITE = LognormalMixture.of((0.397, 74.1, 0.135), (0.603, 108.3, 0.290))
"""Direct writes of 4 KiB on the same disk, one at a time. Source: measured by this project."""

VIRTUAL_NVME_WRITE_AND_FLUSH = LognormalMixture.of(
    (0.353, 131.2, 0.097), (0.644, 170.8, 0.187), (0.0035, 464.0, 0.844)
)
"""A direct write of 4 KiB and ``fdatasync`` after it, together. Source: measured by this project, on the same disk."""

VIRTUAL_NVME_FLUSH_US = (VIRTUAL_NVME_WRITE_AND_FLUSH.mean_ns() - VIRTUAL_NVME_WRITE.mean_ns()) / 1e3
"""What the flush adds on average. Its own distribution was not measured: the model has it constant."""

VIRTUAL_NVME = Sampled(
    read=(SizeClass(VIRTUAL_NVME_READ, 4096),),
    write=(SizeClass(VIRTUAL_NVME_WRITE, 4096),),
    flush=(SizeClass(Constant(VIRTUAL_NVME_FLUSH_US)),),
)
"""A virtual NVMe disk. Only 4 KiB were measured: larger requests take the same time; calibrate a disk to have more."""

STORAGE_AREA_NETWORK = Network(behind=VIRTUAL_NVME, hop=Constant(21.0), bytes_per_second=10e9 / 8)
"""The virtual NVMe disk behind 10 Gbit/s Ethernet and TCP.

Source of the hop: A. Klimovic, H. Litz, C. Kozyrakis, "ReFlex: remote flash ~ local flash", ASPLOS 2017: 21 us more
than direct access. Source of the frames: 1460 bytes of data; Ethernet's preamble, header, checksum and gap are 38 bytes
(IEEE 802.3), the headers of IP and TCP 20 each.
"""

MODELS: dict[str, AnyModel] = {
    "instant": Sampled.of(Constant(0.0)),
    "constant": Sampled.of(Constant(100.0)),
    "virtual-nvme": VIRTUAL_NVME,
    "hp-97560": HP_97560,
    "slc-flash": SLC_FLASH,
    "storage-area-network": STORAGE_AREA_NETWORK,
}
"""What can be asked for by name."""
