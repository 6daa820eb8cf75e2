"""The training loop shared by all models: seeded, bf16 where the processor has it, cosine schedule, averaged weights."""
import copy
import math
import random
import time

import numpy as np
import torch
from torch.utils.data import DataLoader


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def has_bf16():
    """Without instructions of its own bf16 is emulated, thirty times slower than fp32."""
    with open('/proc/cpuinfo') as file:
        return not {'avx512_bf16', 'amx_bf16'}.isdisjoint(file.read().split())


def loader(dataset, batch, workers):
    """Workers hand over batches in order and every item seeds itself, so the order and the pictures are fixed."""
    return DataLoader(dataset, batch_size=batch, shuffle=False, drop_last=True, num_workers=workers)


def fit(net, dataset_of_epoch, loss_of, epochs, after_epoch, stop_after=0, batch=16, workers=1, rate=2e-3, backbone_rate=5e-4):
    """Trains `net`; `after_epoch(n, averaged copy)` sees what would be shipped. `dataset_of_epoch(n)` is that epoch's data, `loss_of(logits, *targets)` a scalar."""
    net = net.to(memory_format=torch.channels_last).train()
    started = time.time()
    pretrained = {id(p) for p in net.backbone.parameters()}
    groups = [{'params': [p for p in net.backbone.parameters() if p.requires_grad], 'lr': backbone_rate},
              {'params': [p for p in net.parameters() if id(p) not in pretrained], 'lr': rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    steps = epochs * (len(dataset_of_epoch(0)) // batch)
    shape = lambda s: min(1.0, (s + 1) / 100) * (0.02 + 0.98 * (1 + math.cos(math.pi * min(1.0, s / steps))) / 2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, shape)
    average, step, bf16 = copy.deepcopy(net), 0, has_bf16()
    for epoch in range(stop_after or epochs):
        total, count = 0.0, 0
        for images, *targets in loader(dataset_of_epoch(epoch), batch, workers):
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
        after_epoch(epoch, copy.deepcopy(average))
