"""Writes one ResNet-18 of base width 1 in many formats, with PyTorch 2.15: python make.py FOLDER."""
import torch,torchvision,sys
from collections import OrderedDict
import warnings; warnings.filterwarnings('ignore')
torch.manual_seed(7)
o=sys.argv[1]+'/'
from torchvision.models.resnet import ResNet,BasicBlock
def thin():
    m=torchvision.models.resnet18(weights=None)
    s=OrderedDict()
    # width 1: the first w channels of each tensor
    for k,v in m.state_dict().items():
        if k.startswith(('fc','layer4')): continue
        def cut(n,stem=False): return max(1,n//64)
        if v.dim()==4: v=v[:cut(v.shape[0]), :(3 if k=='conv1.weight' else cut(v.shape[1]))]
        elif v.dim()==1: v=v[:cut(v.shape[0])]
        s[k]=v.contiguous().clone()
    return s
s=thin()
pre=lambda p,s:{p+k:v for k,v in s.items()}
torch.save(s,o+'plain.pth')
torch.save(s,o+'legacy.pth',_use_new_zipfile_serialization=False)
for p in (3,4,5): torch.save({'epoch':3,'acc':0.5,'state_dict':pre('module.encoder_q.',s),'args':{'lr':0.1,'s':set([1]),'b':b'xx'*200,'ba':bytearray(b'y'*3)}},o+f'protocol{p}.pth',pickle_protocol=p)
torch.save({k:(v.half() if v.is_floating_point() else v) for k,v in s.items()},o+'half.pth')
torch.save({k:(v.to(memory_format=torch.channels_last) if v.dim()==4 else v) for k,v in s.items()},o+'channels.pth')
from safetensors.torch import save_file
save_file({k:v.half() if v.is_floating_point() else v for k,v in s.items()},o+'half.safetensors')
save_file({k:v.double() if v.is_floating_point() else v for k,v in s.items()},o+'double.safetensors')
opt=torch.optim.Adam([torch.nn.Parameter(torch.ones(3))]); opt.param_groups[0]['params'][0].grad=torch.ones(3); opt.step()
torch.save({'model_state_dict':s,'optimizer':opt.state_dict(),'epoch':1,'loss':0.25},o+'tutorial.pth')
