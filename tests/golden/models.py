"""bioft's own small backbones as torch modules: same layers, names, order and initialisation."""
from torch import nn


class LeNet5(nn.Module):
    """plugins/backbones/lenet5.c"""

    def __init__(self, outputs=10, activation='relu', pool='max', channels=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, outputs)
        self.activation = nn.ReLU() if activation == 'relu' else nn.Tanh()
        self.pool = nn.MaxPool2d(2) if pool == 'max' else nn.AvgPool2d(2)

    def forward(self, x):
        x = self.pool(self.activation(self.conv1(x)))
        x = self.pool(self.activation(self.conv2(x))).flatten(1)
        x = self.activation(self.fc1(x))
        return self.fc3(self.activation(self.fc2(x)))


class MLP(nn.Module):
    """plugins/backbones/mlp.c"""

    def __init__(self, outputs=10, hidden=(256, 128), activation='relu', inputs=784):
        super().__init__()
        widths = [inputs, *hidden, outputs]
        self.layers = [nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
        for i, layer in enumerate(self.layers):
            self.add_module(f'fc{i + 1}', layer)
        self.activation = nn.ReLU() if activation == 'relu' else nn.Tanh()

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


class SmallBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1, groups=4, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.downsample = nn.Sequential(nn.Conv2d(8, 16, 1, stride=2, bias=False),
                                        nn.BatchNorm2d(16))
        self.relu = nn.ReLU()

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + self.downsample(x))


class SmallResidual(nn.Module):
    """tests/unit/graph/small_residual.c; input 3x18x16"""

    def __init__(self, outputs=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = SmallBlock()
        self.conv2 = nn.Conv2d(16, 12, 3, stride=2, padding=1, dilation=2, groups=2)
        self.avgpool = nn.AdaptiveAvgPool2d((3, 2))
        self.fc = nn.Linear(72, outputs)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.layer1(self.bn1(self.conv1(x)).relu())
        x = self.conv2(x).tanh()
        return self.fc(self.avgpool(x).flatten(1))


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.convShortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        active = self.bn1(x).relu()
        y = self.conv2(self.bn2(self.conv1(active)).relu())
        return y + (self.convShortcut(active) if self.convShortcut else x)


class WideGroup(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.layer = nn.Sequential(*[WideBlock(outputs if i else inputs, outputs, 1 if i else stride)
                                     for i in range(4)])

    def forward(self, x):
        return self.layer(x)


def kaiming(net):
    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')


class WideResNet28(nn.Module):
    """plugins/backbones/wide_resnet28_10.c"""

    def __init__(self, outputs=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1 = WideGroup(16, 160, 1)
        self.block2 = WideGroup(160, 320, 2)
        self.block3 = WideGroup(320, 640, 2)
        self.bn1 = nn.BatchNorm2d(640)
        self.fc = nn.Linear(640, outputs)
        kaiming(self)

    def forward(self, x):
        x = self.bn1(self.block3(self.block2(self.block1(self.conv1(x))))).relu()
        return self.fc(x.mean((2, 3)))


class PreactBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False))

    def forward(self, x):
        active = self.bn1(x).relu()
        y = self.conv2(self.bn2(self.conv1(active)).relu())
        return y + (self.shortcut(active) if hasattr(self, 'shortcut') else x)


class PreactResNet18(nn.Module):
    """plugins/backbones/preact_resnet18.c"""

    def __init__(self, outputs=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        widths = [64, 64, 128, 256, 512]
        for i in range(4):
            self.add_module(f'layer{i + 1}', nn.Sequential(PreactBlock(widths[i], widths[i + 1], 2 if i else 1),
                                                           PreactBlock(widths[i + 1], widths[i + 1], 1)))
        self.bn = nn.BatchNorm2d(512)
        self.linear = nn.Linear(512, outputs)
        kaiming(self)

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(x)))))
        return self.linear(self.bn(x).relu().mean((2, 3)))
