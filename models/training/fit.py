"""The training loop shared by all models: seeded, cosine schedule, averaged weights, interruptible."""
import copy
import ctypes
import math
import os
import random
import sys
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset

REPORTED = 2  # every so many epochs, and at the end, a run tells how good it is
MADE_AT_ONCE = 30  # batches
DRY_RUN = 64  # pictures


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def has_bf16():
    """Without instructions of its own bf16 is emulated, thirty times slower than fp32."""
    with open('/proc/cpuinfo') as file:
        return not {'avx512_bf16', 'amx_bf16'}.isdisjoint(file.read().split())


def keep_freed_memory():
    """Lets glibc keep what is freed: a step frees gigabytes, and getting them anew from the system, page by page, takes about as long as the step itself, or longer."""
    libc = ctypes.CDLL('libc.so.6')
    for setting, value in ((-4, 0), (-1, 2**31 - 1), (-2, 2**28)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD of malloc.h
        libc.mallopt(setting, value)


def batches(dataset, batch):
    """Batches in order; every item seeds itself, so the order and the pictures are fixed.

    Two workers make some, then these are trained on: beside a worker the threads of a step wait for the one that shares its core.
    """
    size = batch * MADE_AT_ONCE
    for start in range(0, len(dataset), size):
        part = Subset(dataset, range(start, min(len(dataset), start + size)))
        yield from list(DataLoader(part, batch_size=batch, drop_last=True, num_workers=2))


class State:
    """A run as of its last epoch in a file, so that an interrupted one ends with the weights that it would have had. Without a path it keeps nothing.

    Every epoch is run by a process of its own: keep() ends with the command started anew, which goes on from the file.
    """

    def __init__(self, path, epochs):
        self.path, self.epochs = path, epochs
        os.makedirs(os.path.dirname(path) or '.', exist_ok=True)

    def restore(self, parts, memory):
        """Sets `parts` (name -> what has a state) and `memory`, a dictionary; gives the epochs and steps that are done."""
        if not self.path or not os.path.exists(self.path):
            return 0, 0
        stored = torch.load(self.path)
        if stored['epochs'] != self.epochs:
            raise SystemExit(f'{self.path} is of a run of {stored["epochs"]} epochs, not {self.epochs}; go on with the same, or name another file')
        for name, part in parts.items():
            part.load_state_dict(stored[name])
        memory.update(stored['memory'])
        print(f'goes on after epoch {stored["done"]}', flush=True)
        return stored['done'], stored['step']

    def keep(self, parts, memory, done, step):
        if self.path:
            stored = {name: part.state_dict() for name, part in parts.items()}
            torch.save({**stored, 'memory': memory, 'epochs': self.epochs, 'done': done, 'step': step}, self.path + '.part')
            os.replace(self.path + '.part', self.path)
            # A step of a process that has run for a few passes takes two to four times as long as a fresh one's.
            os.execv(sys.executable, [sys.executable, *sys.argv])


def fit(net, dataset_of_epoch, loss_of, epochs, after_epoch, stop_after=0, batch=16, rate=2e-3, backbone_rate=5e-4, bf16=False, state='', memory=None, dry_run=False):
    """Trains `net`; `after_epoch(n, averaged copy, reported)` sees what would be shipped; `reported`: it is time to tell how good it is. `dataset_of_epoch(n)` is that epoch's data, `loss_of(logits, *targets)` a scalar.

    `bf16`: where the processor has it; it is slower than fp32 for some networks, see the README. `state`: a file, see State; `memory`: a dictionary that belongs to the run and is kept with it.
    `dry_run`: one pass of a few pictures instead, to see that everything is in place.
    """
    if dry_run:
        epochs, stop_after, state, few = 1, 0, '', dataset_of_epoch(0)
        dataset_of_epoch = lambda epoch: Subset(few, range(min(DRY_RUN, len(few))))
    keep_freed_memory()
    net = net.to(memory_format=torch.channels_last).train()
    started = time.time()
    pretrained = {id(p) for p in net.backbone.parameters()}
    groups = [{'params': [p for p in net.backbone.parameters() if p.requires_grad], 'lr': backbone_rate},
              {'params': [p for p in net.parameters() if id(p) not in pretrained], 'lr': rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    steps = epochs * (len(dataset_of_epoch(0)) // batch)
    shape = lambda s: min(1.0, (s + 1) / 100) * (0.02 + 0.98 * (1 + math.cos(math.pi * min(1.0, s / steps))) / 2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, shape)
    average, bf16 = copy.deepcopy(net), bf16 and has_bf16()
    memory = {} if memory is None else memory
    kept, parts = State(state, epochs), {'net': net, 'optimizer': optimizer, 'schedule': schedule, 'average': average}
    done, step = kept.restore(parts, memory)
    last = stop_after or epochs
    for epoch in range(done, last):
        torch.manual_seed(epoch)  # what dropout leaves out is the same after an interruption
        total, count = 0.0, 0
        for images, *targets in batches(dataset_of_epoch(epoch), batch):
            images = images.float().contiguous(memory_format=torch.channels_last)
            with torch.autocast('cpu', dtype=torch.bfloat16, enabled=bf16):
                logits = net(images)
            loss = loss_of(logits.float(), *targets)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            step += 1
            keep = min(0.997, step / (step + 10))
            with torch.no_grad():
                for mean, now in zip(average.state_dict().values(), net.state_dict().values()):
                    if mean.dtype.is_floating_point:
                        mean.mul_(keep).add_(now, alpha=1 - keep)
                    else:
                        mean.copy_(now)
            total, count = total + float(loss), count + 1
        print(f'epoch {epoch + 1}/{epochs} loss {total / max(1, count):.4f} {time.time() - started:.0f} s', flush=True)
        after_epoch(epoch, copy.deepcopy(average), (epoch + 1) % REPORTED == 0 or epoch + 1 == last)
        kept.keep(parts, memory, epoch + 1, step)
